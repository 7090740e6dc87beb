/*-------------------------------------------------------------------------
 *
 * decoder_test.c
 *		Tests the decoder of bodies (src/source/http/decoder.c) on the host; prints TAP.
 *
 * Every body is fed in several chunk sizes and taken out in several: what it
 * becomes must not depend on them.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <lzma.h>
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "source/http/decoder.h"
#include "tap.h"

#define MAX_BODY	(512 * 1024)

typedef struct Bytes
{
	size_t		length;
	char		data[MAX_BODY];
} Bytes;

static Bytes text;
static Bytes body;
static Bytes decoded;

/* ---- making bodies ---- */

/* window_bits as deflateInit2() takes them: gzip, zlib or raw */
static void
add_deflate(Bytes * to, const Bytes * from, int window_bits)
{
	z_stream	zlib = {0};

	deflateInit2(&zlib, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
	zlib.next_in = (Bytef *) from->data;
	zlib.avail_in = (uInt) from->length;
	zlib.next_out = (Bytef *) to->data + to->length;
	zlib.avail_out = (uInt) (MAX_BODY - to->length);
	deflate(&zlib, Z_FINISH);
	to->length += zlib.total_out;
	deflateEnd(&zlib);
}

static void
add_zstd(Bytes * to, const Bytes * from)
{
	ZSTD_CCtx  *zstd = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	to->length += ZSTD_compress2(zstd, to->data + to->length, MAX_BODY - to->length,
								 from->data, from->length);
	ZSTD_freeCCtx(zstd);
}

static void
add_bzip2(Bytes * to, const Bytes * from)
{
	unsigned int length = (unsigned int) (MAX_BODY - to->length);

	BZ2_bzBuffToBuffCompress(to->data + to->length, &length, (char *) from->data,
							 (unsigned int) from->length, 9, 0, 0);
	to->length += length;
}

static void
add_xz(Bytes * to, const Bytes * from)
{
	(void) lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *) from->data, from->length,
								   (uint8_t *) to->data, &to->length, MAX_BODY);
}

static void
set_bytes(Bytes * bytes, const char *data, size_t length)
{
	memcpy(bytes->data, data, length);
	bytes->length = length;
}

/* ---- decoding them ---- */

/* NULL: the body is whole and in "decoded"; else what is wrong with it */
static const char *
decode(DecoderCoding coding, size_t in, size_t out)
{
	static char problem[200];
	Decoder    *decoder = decoder_create(coding);
	DecoderOutcome outcome = DECODER_HUNGRY;
	bool		whole;

	decoded.length = 0;
	for (size_t done = 0; done < body.length && outcome != DECODER_DAMAGED;)
	{
		size_t		end = body.length - done < in ? body.length : done + in;

		do
		{
			size_t		read;
			size_t		written;
			size_t		room = MAX_BODY - decoded.length < out ? MAX_BODY - decoded.length : out;

			/* what is damaged may become longer than any text here */
			if (room == 0)
			{
				decoder_free(decoder);
				return "it has no end";
			}
			outcome = decoder_run(decoder, body.data + done, end - done, &read,
								  decoded.data + decoded.length, room, &written);
			done += read;
			decoded.length += written;
		} while (outcome == DECODER_FULL);
	}
	whole = decoder_end(decoder);
	snprintf(problem, sizeof(problem), "%s", whole ? "" : decoder_problem(decoder));
	decoder_free(decoder);
	return whole ? NULL : problem;
}

static const size_t sizes[] = {1, 7, 1000, MAX_BODY};

#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void
expect_text(const char *name, DecoderCoding coding)
{
	bool		good = true;

	for (size_t i = 0; i < N_SIZES * N_SIZES; i++)
		good = decode(coding, sizes[i / N_SIZES], sizes[i % N_SIZES]) == NULL &&
			decoded.length == text.length && memcmp(decoded.data, text.data, text.length) == 0 && good;
	check(good, "%s", name);
}

static void
expect_problem(const char *name, DecoderCoding coding, const char *expected)
{
	bool		good = true;

	for (size_t i = 0; i < N_SIZES * N_SIZES; i++)
	{
		const char *problem = decode(coding, sizes[i / N_SIZES], sizes[i % N_SIZES]);

		good = problem != NULL && (expected == NULL || strcmp(problem, expected) == 0) && good;
	}
	check(good, "%s", name);
}

/* whatever is cut off the end of the body, or changed in it, is noticed */
static void
expect_no_part(const char *name, DecoderCoding coding, bool checksum)
{
	size_t		whole = body.length;
	bool		good = true;

	for (body.length = 0; body.length < whole; body.length++)
	{
		if (body.length > 100 && body.length < whole - 100)
			continue;
		good = decode(coding, MAX_BODY, MAX_BODY) != NULL && good;
	}
	check(good, "%s: no beginning of it is whole", name);
	if (!checksum)
		return;
	good = true;
	for (size_t i = 10; i < whole; i += 1 + whole / 200)
	{
		body.data[i] ^= 0x10;
		good = (decode(coding, MAX_BODY, MAX_BODY) != NULL ||
				(decoded.length == text.length && memcmp(decoded.data, text.data, text.length) == 0)) && good;
		body.data[i] ^= 0x10;
	}
	check(good, "%s: no change of it goes unnoticed", name);
}

/* ---- tests ---- */

static const char too_early[] = "the compressed data ends too early";
static const char behind[] = "something follows the end of the compressed data";

static void
test_coding(const char *name, DecoderCoding coding, int window_bits)
{
	body.length = 0;
	if (coding == DECODER_ZSTD)
		add_zstd(&body, &text);
	else if (coding == DECODER_BZIP2)
		add_bzip2(&body, &text);
	else if (coding == DECODER_XZ)
		add_xz(&body, &text);
	else
		add_deflate(&body, &text, window_bits);
	expect_text(name, coding);
	expect_no_part(name, coding, window_bits >= 0);
	body.data[body.length++] = 'x';
	expect_problem("with something behind it", coding, behind);
}

static void
test_streams(void)
{
	Bytes	   *half = malloc(sizeof(Bytes));

	body.length = 0;
	set_bytes(half, text.data, text.length / 3);
	add_deflate(&body, half, MAX_WBITS + 16);
	half->length = 0;
	add_deflate(&body, half, MAX_WBITS + 16);
	set_bytes(half, text.data + text.length / 3, text.length - text.length / 3);
	add_deflate(&body, half, MAX_WBITS + 16);
	expect_text("gzip of three members", DECODER_GZIP);
	body.length -= 4;
	expect_problem("whose last is cut", DECODER_GZIP, too_early);

	body.length = 0;
	set_bytes(half, text.data, text.length / 3);
	add_zstd(&body, half);
	memcpy(body.data + body.length, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	body.length += 11;
	set_bytes(half, text.data + text.length / 3, text.length - text.length / 3);
	add_zstd(&body, half);
	expect_text("zstd of two frames and one to be skipped", DECODER_ZSTD);

	body.length = 0;
	set_bytes(half, text.data, text.length / 3);
	add_bzip2(&body, half);
	set_bytes(half, text.data + text.length / 3, text.length - text.length / 3);
	add_bzip2(&body, half);
	expect_text("bzip2 of two streams", DECODER_BZIP2);

	body.length = 0;
	set_bytes(half, text.data, text.length / 3);
	add_xz(&body, half);
	memset(body.data + body.length, 0, 8);
	body.length += 8;
	set_bytes(half, text.data + text.length / 3, text.length - text.length / 3);
	add_xz(&body, half);
	expect_text("xz of two streams with padding between them", DECODER_XZ);
	memset(body.data + body.length, 0, 3);
	body.length += 3;
	expect_problem("whose padding is cut", DECODER_XZ, too_early);

	body.length = 0;
	add_deflate(&body, half, MAX_WBITS);
	add_deflate(&body, half, MAX_WBITS);
	expect_problem("deflate has one stream", DECODER_DEFLATE, behind);
	free(half);
}

static void
test_brotli(void)
{
	static const char hello[] = "\x8b\x0c\x80[{\"id\":1,\"text\":\"packed\"}]\x03";
	Bytes	   *saved = malloc(sizeof(Bytes));

	*saved = text;
	set_bytes(&text, "[{\"id\":1,\"text\":\"packed\"}]", 26);
	set_bytes(&body, hello, sizeof(hello) - 1);
	expect_text("br", DECODER_BROTLI);
	expect_no_part("br", DECODER_BROTLI, false);
	body.data[body.length++] = 'x';
	expect_problem("br with something behind it", DECODER_BROTLI, behind);
	text = *saved;
	free(saved);
}

static void
test_windows(void)
{
	static const char large[] = "\x28\xb5\x2f\xfd\0\x90";	/* 256 MB */

	set_bytes(&body, large, sizeof(large) - 1);
	expect_problem("a zstd frame must not ask for much memory", DECODER_ZSTD, NULL);
	body.length = 0;
	expect_problem("no stream is empty", DECODER_GZIP, too_early);
}

static void
test_fields(void)
{
	static const struct
	{
		const char *field;
		DecoderCoding coding;
	}			fields[] = {
		{"gzip", DECODER_GZIP}, {"X-GZip", DECODER_GZIP}, {" deflate ", DECODER_DEFLATE},
		{"zstd", DECODER_ZSTD}, {"br", DECODER_BROTLI}, {"", DECODER_IDENTITY},
		{"identity", DECODER_IDENTITY}, {"utf-8", DECODER_IDENTITY}, {"none", DECODER_IDENTITY},
		{"aws-chunked,gzip", DECODER_GZIP}, {"gzip, identity", DECODER_GZIP}, {", ,", DECODER_IDENTITY},
		{"compress", DECODER_REFUSED}, {"gzip, gzip", DECODER_REFUSED}, {"gzipx", DECODER_REFUSED},
		{"gz", DECODER_REFUSED}, {"br;q=1", DECODER_REFUSED}
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		check(decoder_coding(fields[i].field) == fields[i].coding, "Content-Encoding: %s", fields[i].field);
}

int
main(void)
{
	for (int i = 0; i < 3000; i++)
		text.length += (size_t) sprintf(text.data + text.length, "%d,some text of record %d\n", i, i * 7919 % 1000);
	test_coding("gzip", DECODER_GZIP, MAX_WBITS + 16);
	test_coding("deflate with zlib's header", DECODER_DEFLATE, MAX_WBITS);
	test_coding("deflate without it", DECODER_DEFLATE, -MAX_WBITS);
	test_coding("zstd", DECODER_ZSTD, 0);
	test_coding("bzip2", DECODER_BZIP2, 0);
	test_coding("xz", DECODER_XZ, 0);
	test_streams();
	test_brotli();
	test_windows();
	test_fields();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

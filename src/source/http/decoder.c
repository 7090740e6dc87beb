/*-------------------------------------------------------------------------
 *
 * decoder.c
 *		Undoes the Content-Encoding of a body, a piece at a time.
 *
 * libcurl could do so, but it neither tells a whole body from one that ends too
 * early nor stops before it has unpacked everything it has read: 100 kB can become
 * gigabytes in one call.  This decoder believes a body only when each of its
 * streams has ended, with its checksum where the format has one, and when nothing
 * else follows.  A body of several gzip members or zstd frames is their
 * concatenation, as the formats say, and so for bzip2 and xz.
 *
 * States of a body and their successors:
 *
 *		at start		-> in a stream		(the first byte)
 *		in a stream		-> between streams	(the stream's end and checksum)
 *		between streams -> in a stream		(gzip, zstd, bzip2, xz: another one begins)
 *		any				-> damaged
 *
 * The body is whole if its input ends between streams.
 *
 * A body may repeat the request's credentials, so the libraries get memory that is
 * wiped when they free it.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/decoder.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <brotli/decode.h>
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY	/* for ZSTD_createDCtx_advanced() */
#include <zstd.h>

#include "ascii.h"
#include "secret/wiping.h"

/* RFC 9659: a zstd frame of HTTP needs a window of at most 8 MB */
#define ZSTD_WINDOW_LOG		23

/* The strongest preset of xz needs 65 MB. */
#define XZ_MEMORY			(128 * 1024 * 1024)

/* the first byte of a stream */
#define GZIP_MAGIC			0x1f
#define ZSTD_MAGIC			0x28
#define BZIP2_MAGIC			'B'
#define XZ_MAGIC			0xfd
#define XZ_PADDING			4	/* zeros follow a stream in multiples of it */
#define ZSTD_SKIPPABLE(byte)	(((byte) & 0xf0) == 0x50)

#define ZLIB_GZIP			(MAX_WBITS + 16)	/* windowBits of inflateInit2() */
#define ZLIB_ZLIB			MAX_WBITS
#define ZLIB_RAW			(-MAX_WBITS)

typedef enum DecoderState
{
	AT_START,
	IN_STREAM,
	BETWEEN_STREAMS,
	DAMAGED
} DecoderState;

struct Decoder
{
	DecoderCoding coding;
	DecoderState state;
	const char *problem;
	bool		has_zlib;		/* zlib is initialised */
	z_stream	zlib;
	ZSTD_DCtx  *zstd;
	BrotliDecoderState *brotli;
	bool		has_bzip2;		/* bzip2 is initialised */
	bz_stream	bzip2;
	lzma_stream xz;				/* initialised from the first stream on */
	lzma_allocator xz_memory;
	unsigned int padding;		/* zeros behind a stream of xz */
};

/* ---- which coding ---- */

typedef struct CodingName
{
	const char *name;
	DecoderCoding coding;
} CodingName;

/* Servers also send words here that belong to other fields: they encode nothing. */
static const CodingName names[] = {
	{"gzip", DECODER_GZIP},
	{"x-gzip", DECODER_GZIP},
	{"deflate", DECODER_DEFLATE},
	{"zstd", DECODER_ZSTD},
	{"br", DECODER_BROTLI},
	{"identity", DECODER_IDENTITY},
	{"none", DECODER_IDENTITY},
	{"null", DECODER_IDENTITY},
	{"aws-chunked", DECODER_IDENTITY},
	{"chunked", DECODER_IDENTITY},
	{"binary", DECODER_IDENTITY},
	{"7bit", DECODER_IDENTITY},
	{"8bit", DECODER_IDENTITY},
	{"utf-8", DECODER_IDENTITY},
	{"utf8", DECODER_IDENTITY},
	{"us-ascii", DECODER_IDENTITY},
	{"ascii", DECODER_IDENTITY},
	{"iso-8859-1", DECODER_IDENTITY}
};

static DecoderCoding
coding_of(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strlen(names[i].name) == length && ascii_same(word, names[i].name, length))
			return names[i].coding;
	}
	return DECODER_REFUSED;
}

DecoderCoding
decoder_coding(const char *field)
{
	DecoderCoding found = DECODER_IDENTITY;

	for (;;)
	{
		size_t		length;
		DecoderCoding coding;

		field += strspn(field, ", \t");
		if (*field == '\0')
			return found;
		length = strcspn(field, ", \t");
		coding = coding_of(field, length);
		field += length;
		if (coding == DECODER_IDENTITY)
			continue;
		if (found != DECODER_IDENTITY)
			return DECODER_REFUSED;
		found = coding;
	}
}

/* ---- life ---- */

static void *
allocate(void *arg, size_t size)
{
	(void) arg;
	return wiping_malloc(size);
}

static void *
allocate_items(void *arg, uInt count, uInt size)
{
	(void) arg;
	return wiping_calloc(count, size);
}

static void *
allocate_ints(void *arg, int count, int size)
{
	(void) arg;
	return wiping_calloc((size_t) count, (size_t) size);
}

static void *
allocate_array(void *arg, size_t count, size_t size)
{
	(void) arg;
	return wiping_calloc(count, size);
}

static void
give_back(void *arg, void *memory)
{
	(void) arg;
	wiping_free(memory);
}

Decoder *
decoder_create(DecoderCoding coding)
{
	static const ZSTD_customMem zstd_memory = {allocate, give_back, NULL};
	Decoder    *decoder = calloc(1, sizeof(Decoder));
	bool		good = false;

	if (decoder == NULL)
		return NULL;
	decoder->coding = coding;
	decoder->zlib.zalloc = allocate_items;
	decoder->zlib.zfree = give_back;
	switch (coding)
	{
		case DECODER_GZIP:
			good = decoder->has_zlib = inflateInit2(&decoder->zlib, ZLIB_GZIP) == Z_OK;
			break;
		case DECODER_DEFLATE:
			/* the first byte says whether zlib's header is there */
			good = decoder->has_zlib = inflateInit2(&decoder->zlib, ZLIB_ZLIB) == Z_OK;
			break;
		case DECODER_ZSTD:
			decoder->zstd = ZSTD_createDCtx_advanced(zstd_memory);
			good = decoder->zstd != NULL &&
				!ZSTD_isError(ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
			break;
		case DECODER_BROTLI:
			decoder->brotli = BrotliDecoderCreateInstance(allocate, give_back, NULL);
			good = decoder->brotli != NULL;
			break;
		case DECODER_BZIP2:
			decoder->bzip2.bzalloc = allocate_ints;
			decoder->bzip2.bzfree = give_back;
			good = decoder->has_bzip2 = BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) == BZ_OK;
			break;
		case DECODER_XZ:
			decoder->xz_memory = (lzma_allocator) {allocate_array, give_back, NULL};
			decoder->xz.allocator = &decoder->xz_memory;
			good = lzma_stream_decoder(&decoder->xz, XZ_MEMORY, 0) == LZMA_OK;
			break;
		case DECODER_IDENTITY:
		case DECODER_REFUSED:
			break;
	}
	if (good)
		return decoder;
	decoder_free(decoder);
	return NULL;
}

void
decoder_free(Decoder * decoder)
{
	if (decoder == NULL)
		return;
	if (decoder->has_zlib)
		inflateEnd(&decoder->zlib);
	if (decoder->has_bzip2)
		BZ2_bzDecompressEnd(&decoder->bzip2);
	lzma_end(&decoder->xz);
	ZSTD_freeDCtx(decoder->zstd);
	if (decoder->brotli != NULL)
		BrotliDecoderDestroyInstance(decoder->brotli);
	free(decoder);
}

const char *
decoder_problem(const Decoder * decoder)
{
	return decoder->problem;
}

static DecoderOutcome
refuse_body(Decoder * decoder, const char *problem)
{
	decoder->state = DAMAGED;
	decoder->problem = problem;
	return DECODER_DAMAGED;
}

/* ---- one step of each library ---- */

static unsigned int
at_most_uint(size_t size)
{
	return size > UINT_MAX ? UINT_MAX : (unsigned int) size;
}

static DecoderOutcome
run_zlib(Decoder * decoder, const char *input, size_t input_size, size_t *read,
		 char *output, size_t output_size, size_t *written)
{
	z_stream   *zlib = &decoder->zlib;
	int			result;

	zlib->next_in = (z_const Bytef *) input;
	zlib->avail_in = at_most_uint(input_size);
	zlib->next_out = (Bytef *) output;
	zlib->avail_out = at_most_uint(output_size);
	result = inflate(zlib, Z_NO_FLUSH);
	*read = (size_t) ((const char *) zlib->next_in - input);
	*written = (size_t) ((char *) zlib->next_out - output);
	switch (result)
	{
		case Z_STREAM_END:
			decoder->state = BETWEEN_STREAMS;
			return DECODER_HUNGRY;
		case Z_OK:
		case Z_BUF_ERROR:		/* no progress: there is no input, or no room */
			return zlib->avail_out == 0 ? DECODER_FULL : DECODER_HUNGRY;
		case Z_NEED_DICT:
			return refuse_body(decoder, "the stream needs a dictionary");
		case Z_MEM_ERROR:
			return refuse_body(decoder, "out of memory");
		default:
			return refuse_body(decoder, "the compressed data is damaged");
	}
}

static DecoderOutcome
run_zstd(Decoder * decoder, const char *input, size_t input_size, size_t *read,
		 char *output, size_t output_size, size_t *written)
{
	ZSTD_inBuffer in = {input, input_size, 0};
	ZSTD_outBuffer out = {output, output_size, 0};
	size_t		result = ZSTD_decompressStream(decoder->zstd, &out, &in);

	*read = in.pos;
	*written = out.pos;
	if (ZSTD_isError(result))
		return refuse_body(decoder, ZSTD_getErrorName(result));
	if (result == 0)
		decoder->state = BETWEEN_STREAMS;
	return out.pos == out.size ? DECODER_FULL : DECODER_HUNGRY;
}

static DecoderOutcome
run_brotli(Decoder * decoder, const char *input, size_t input_size, size_t *read,
		   char *output, size_t output_size, size_t *written)
{
	const uint8_t *next_in = (const uint8_t *) input;
	uint8_t    *next_out = (uint8_t *) output;
	size_t		in = input_size;
	size_t		out = output_size;
	BrotliDecoderResult result;

	result = BrotliDecoderDecompressStream(decoder->brotli, &in, &next_in, &out, &next_out, NULL);
	*read = input_size - in;
	*written = output_size - out;
	switch (result)
	{
		case BROTLI_DECODER_RESULT_SUCCESS:
			decoder->state = BETWEEN_STREAMS;
			return DECODER_HUNGRY;
		case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
			return DECODER_HUNGRY;
		case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
			return DECODER_FULL;
		case BROTLI_DECODER_RESULT_ERROR:
			break;
	}
	return refuse_body(decoder, "the compressed data is damaged");
}

static DecoderOutcome
run_bzip2(Decoder * decoder, const char *input, size_t input_size, size_t *read,
		  char *output, size_t output_size, size_t *written)
{
	bz_stream  *bzip2 = &decoder->bzip2;
	int			result;

	bzip2->next_in = (char *) input;
	bzip2->avail_in = at_most_uint(input_size);
	bzip2->next_out = output;
	bzip2->avail_out = at_most_uint(output_size);
	result = BZ2_bzDecompress(bzip2);
	*read = (size_t) (bzip2->next_in - input);
	*written = (size_t) (bzip2->next_out - output);
	if (result == BZ_STREAM_END)
		decoder->state = BETWEEN_STREAMS;
	else if (result == BZ_MEM_ERROR)
		return refuse_body(decoder, "out of memory");
	else if (result != BZ_OK)
		return refuse_body(decoder, "the compressed data is damaged");
	return bzip2->avail_out == 0 ? DECODER_FULL : DECODER_HUNGRY;
}

static DecoderOutcome
run_xz(Decoder * decoder, const char *input, size_t input_size, size_t *read,
	   char *output, size_t output_size, size_t *written)
{
	lzma_stream *xz = &decoder->xz;
	lzma_ret	result;

	xz->next_in = (const uint8_t *) input;
	xz->avail_in = input_size;
	xz->next_out = (uint8_t *) output;
	xz->avail_out = output_size;
	result = lzma_code(xz, LZMA_RUN);
	*read = input_size - xz->avail_in;
	*written = output_size - xz->avail_out;
	switch (result)
	{
		case LZMA_STREAM_END:
			decoder->state = BETWEEN_STREAMS;
			break;
		case LZMA_OK:
		case LZMA_BUF_ERROR:	/* no progress: there is no input, or no room */
			break;
		case LZMA_MEM_ERROR:
			return refuse_body(decoder, "out of memory");
		case LZMA_MEMLIMIT_ERROR:
			return refuse_body(decoder, "the stream needs more than 128 MB of memory");
		case LZMA_OPTIONS_ERROR:
			return refuse_body(decoder, "the stream needs a filter that is not known");
		default:
			return refuse_body(decoder, "the compressed data is damaged");
	}
	return xz->avail_out == 0 ? DECODER_FULL : DECODER_HUNGRY;
}

static DecoderOutcome
run_stream(Decoder * decoder, const char *input, size_t input_size, size_t *read,
		   char *output, size_t output_size, size_t *written)
{
	*read = 0;
	*written = 0;
	if (decoder->zstd != NULL)
		return run_zstd(decoder, input, input_size, read, output, output_size, written);
	if (decoder->brotli != NULL)
		return run_brotli(decoder, input, input_size, read, output, output_size, written);
	if (decoder->has_bzip2)
		return run_bzip2(decoder, input, input_size, read, output, output_size, written);
	if (decoder->coding == DECODER_XZ)
		return run_xz(decoder, input, input_size, read, output, output_size, written);
	return run_zlib(decoder, input, input_size, read, output, output_size, written);
}

/* ---- between streams ---- */

/*
 * Some servers send "deflate" without zlib's header.  That header's first byte has
 * method 8 in its low half; a deflate stream that begins so would have a stored block
 * with bits set where its padding is zero.
 */
static void
choose_deflate(Decoder * decoder, char first)
{
	if ((first & 0x0f) != Z_DEFLATED)
		(void) inflateReset2(&decoder->zlib, ZLIB_RAW);
}

/* Returns how many of the zeros that may follow a stream of xz are there. */
static size_t
skip_padding(Decoder * decoder, const char *input, size_t size)
{
	size_t		n = 0;

	if (decoder->coding != DECODER_XZ || decoder->state != BETWEEN_STREAMS)
		return 0;
	while (n < size && input[n] == '\0')
		n++;
	decoder->padding += (unsigned int) n;
	return n;
}

static bool
renew_bzip2(Decoder * decoder)
{
	BZ2_bzDecompressEnd(&decoder->bzip2);
	decoder->has_bzip2 = BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) == BZ_OK;
	return decoder->has_bzip2;
}

/* There is input.  False: it must not be there. */
static bool
begin_stream(Decoder * decoder, char first)
{
	switch (decoder->coding)
	{
		case DECODER_GZIP:
			if ((unsigned char) first != GZIP_MAGIC)
				return false;
			(void) inflateReset(&decoder->zlib);
			break;
		case DECODER_ZSTD:
			/* the library would also take frames of its early formats */
			if (first != ZSTD_MAGIC && !ZSTD_SKIPPABLE(first))
				return false;
			break;
		case DECODER_BZIP2:
			if (first != BZIP2_MAGIC || (decoder->state == BETWEEN_STREAMS && !renew_bzip2(decoder)))
				return false;
			break;
		case DECODER_XZ:
			if ((unsigned char) first != XZ_MAGIC || decoder->padding % XZ_PADDING != 0 ||
				(decoder->state == BETWEEN_STREAMS && lzma_stream_decoder(&decoder->xz, XZ_MEMORY, 0) != LZMA_OK))
				return false;
			break;
		default:
			if (decoder->state == BETWEEN_STREAMS)
				return false;
			if (decoder->coding == DECODER_DEFLATE)
				choose_deflate(decoder, first);
			break;
	}
	decoder->state = IN_STREAM;
	return true;
}

DecoderOutcome
decoder_run(Decoder * decoder, const char *input, size_t input_size, size_t *read,
			char *output, size_t output_size, size_t *written)
{
	DecoderOutcome outcome = DECODER_HUNGRY;

	*read = 0;
	*written = 0;
	while (decoder->state != DAMAGED && outcome == DECODER_HUNGRY)
	{
		size_t		taken;
		size_t		made;

		if (decoder->state != IN_STREAM)
		{
			*read += skip_padding(decoder, input + *read, input_size - *read);
			if (*read == input_size)
				return DECODER_HUNGRY;
			if (!begin_stream(decoder, input[*read]))
				return refuse_body(decoder, decoder->state == AT_START ?
								   "the compressed data is damaged" :
								   "something follows the end of the compressed data");
		}
		outcome = run_stream(decoder, input + *read, input_size - *read, &taken,
							 output + *written, output_size - *written, &made);
		*read += taken;
		*written += made;
		/* what a library still holds comes out before more goes in */
		if (decoder->state == IN_STREAM && outcome == DECODER_HUNGRY && *read == input_size)
			return DECODER_HUNGRY;
		if (outcome == DECODER_HUNGRY && taken == 0 && made == 0 && decoder->state == IN_STREAM)
			return refuse_body(decoder, "the compressed data is damaged");
	}
	return decoder->state == DAMAGED ? DECODER_DAMAGED : outcome;
}

bool
decoder_end(Decoder * decoder)
{
	if (decoder->state == BETWEEN_STREAMS && decoder->padding % XZ_PADDING == 0)
		return true;
	if (decoder->state != DAMAGED)
		(void) refuse_body(decoder, "the compressed data ends too early");
	return false;
}

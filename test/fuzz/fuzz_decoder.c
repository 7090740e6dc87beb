/*-------------------------------------------------------------------------
 *
 * fuzz_decoder.c
 *		libFuzzer harness of the decoder of bodies.
 *
 * The first byte chooses the coding and the sizes of the pieces, the rest is the
 * body.  What the body becomes, and whether it is whole, must not depend on the
 * pieces; and a body that is whole is not whole without its last byte.  libzstd refuses
 * some empty blocks only when it gets them in pieces.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/decoder.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MAX_DECODED		(1024 * 1024)

typedef struct Result
{
	bool		whole;
	bool		cut;			/* there was more than MAX_DECODED */
	size_t		length;
	char		data[MAX_DECODED];
} Result;

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(DecoderCoding coding, const char *body, size_t size, size_t in, size_t out, Result * result)
{
	Decoder    *decoder = decoder_create(coding);
	DecoderOutcome outcome = DECODER_HUNGRY;
	size_t		done = 0;

	memset(result, 0, offsetof(Result, data));
	while (!result->cut && outcome != DECODER_DAMAGED && (done < size || outcome == DECODER_FULL))
	{
		size_t		n = size - done < in ? size - done : in;
		size_t		room = MAX_DECODED - result->length < out ? MAX_DECODED - result->length : out;
		size_t		read;
		size_t		written;

		outcome = decoder_run(decoder, body + done, n, &read, result->data + result->length, room, &written);
		CHECK(read <= n && written <= room);
		CHECK(outcome != DECODER_HUNGRY || read == n);
		CHECK(outcome != DECODER_FULL || written == room);
		done += read;
		result->length += written;
		result->cut = result->length == MAX_DECODED;
	}
	result->whole = !result->cut && decoder_end(decoder);
	CHECK(result->whole || result->cut || decoder_problem(decoder) != NULL);
	decoder_free(decoder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const DecoderCoding codings[] = {DECODER_GZIP, DECODER_DEFLATE, DECODER_ZSTD, DECODER_BROTLI,
	DECODER_BZIP2, DECODER_XZ};
	static Result once;
	static Result pieces;
	DecoderCoding coding;
	char	   *field;

	if (size == 0)
		return 0;
	coding = codings[(data[0] & 7) % 6];
	decode(coding, (const char *) data + 1, size - 1, size, MAX_DECODED, &once);
	decode(coding, (const char *) data + 1, size - 1, 1 + (data[0] >> 2) % 7, 1 + (data[0] >> 5) * 100, &pieces);
	if (!once.cut && !pieces.cut)
	{
		CHECK(once.whole == pieces.whole || coding == DECODER_ZSTD);
		CHECK(!once.whole || !pieces.whole || (once.length == pieces.length && memcmp(once.data, pieces.data, once.length) == 0));
	}

	if (once.whole && size > 1)
	{
		decode(coding, (const char *) data + 1, size - 2, size, MAX_DECODED, &pieces);
		CHECK(!pieces.whole);
	}
	field = calloc(1, size + 1);
	memcpy(field, data, size);
	(void) decoder_coding(field);
	free(field);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * decoder.h
 *		Undoes the Content-Encoding of a body, a piece at a time.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DECODER_H
#define SPICE_DECODER_H

#include <stdbool.h>
#include <stddef.h>

/* the codings that a request offers */
#define DECODER_OFFER	"gzip, deflate, zstd, br"

typedef enum DecoderCoding
{
	DECODER_IDENTITY,			/* the body is as it is */
	DECODER_GZIP,
	DECODER_DEFLATE,
	DECODER_ZSTD,
	DECODER_BROTLI,
	DECODER_BZIP2,				/* of files: no Content-Encoding */
	DECODER_XZ,
	DECODER_REFUSED				/* another one, or more than one */
} DecoderCoding;

/* Reads a Content-Encoding field.  A word in it that names no encoding stands for identity. */
extern DecoderCoding decoder_coding(const char *field);

typedef enum DecoderOutcome
{
	DECODER_HUNGRY,				/* all input is read; more is wanted, or the end of it */
	DECODER_FULL,				/* the output is full; call again with the rest of the input */
	DECODER_DAMAGED				/* decoder_problem() says why */
} DecoderOutcome;

typedef struct Decoder Decoder;

/* coding is neither identity nor refused; NULL: out of memory */
extern Decoder * decoder_create(DecoderCoding coding);
extern void decoder_free(Decoder * decoder);	/* NULL does nothing */

/*
 * Decodes from input into output and counts in *read and *written what it has
 * taken and made.  Its work is bounded by the two sizes.
 */
extern DecoderOutcome decoder_run(Decoder * decoder, const char *input, size_t input_size, size_t *read,
								  char *output, size_t output_size, size_t *written);

/* There is no more input.  False: the body is damaged, its end is missing. */
extern bool decoder_end(Decoder * decoder);

/* static, lower case, no full stop; NULL: none */
extern const char *decoder_problem(const Decoder * decoder);

#endif

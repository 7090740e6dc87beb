/*-------------------------------------------------------------------------
 *
 * http_body.c
 *		The body of an answer on its way from libcurl into a spool.
 *
 * libcurl hands over the bytes in a callback, where nothing may raise an error or
 * take long.  A body that is not encoded goes from there into the spool.  An encoded
 * one is kept as it came and decoded outside, a piece at a time, so that the process
 * hears interrupts however much a few bytes unpack to.  libcurl is not driven
 * before all of it is decoded: what is kept is at most what libcurl reads at once.
 *
 * The body is whole only if the decoder has seen its end (decoder.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/http_body.h"

#include "source/http/http_header.h"

#define DECODED_SIZE	(256 * 1024)	/* decoded between looks at interrupts: takes about 1 ms */

void
http_body_release(HttpBody * body)
{
	decoder_free(body->decoder);
	body->decoder = NULL;
	if (body->decoded != NULL)
		explicit_bzero(body->decoded, DECODED_SIZE);
	if (body->raw != NULL)
		explicit_bzero(body->raw, body->raw_size);
}

void
http_body_reset(HttpBody * body)
{
	http_body_release(body);
	body->fault = HTTP_BODY_FINE;
	body->problem = NULL;
	body->bytes = 0;
	body->encoding[0] = '\0';
	body->excerpt_length = 0;
	body->received = false;
	body->coding = DECODER_IDENTITY;
	body->raw_used = 0;
	body->raw_done = 0;
}

void
http_body_keep_encoding(HttpBody * body, const char *line, size_t length)
{
	char		more[sizeof(body->encoding)] = "";

	http_header_keep(line, length, "Content-Encoding", more, sizeof(more));
	if (more[0] == '\0')
		return;
	if (body->encoding[0] != '\0')
		strlcat(body->encoding, ",", sizeof(body->encoding));
	strlcat(body->encoding, more, sizeof(body->encoding));
}

/* Takes decoded bytes.  False: no more are wanted. */
static bool
keep_decoded(HttpBody * body, const char *data, size_t length)
{
	size_t		n = Min(length, sizeof(body->excerpt) - body->excerpt_length);

	if ((int64) length > body->max_size - body->bytes)
		body->fault = HTTP_BODY_TOO_LARGE;
	else if (body->success && !spool_append(body->spool, data, length))
		body->fault = HTTP_BODY_NO_MEMORY;
	else
	{
		memcpy(body->excerpt + body->excerpt_length, data, n);
		body->excerpt_length += n;
		body->bytes += length;
		if (!body->success && n < length)
			body->fault = HTTP_BODY_ENOUGH;
	}
	return body->fault == HTTP_BODY_FINE;
}

/* Keeps bytes to be decoded.  False: out of memory. */
static bool
keep_raw(HttpBody * body, const char *data, size_t length)
{
	size_t		needed = body->raw_used + length;

	if (needed > body->raw_size)
	{
		size_t		size = Max(needed, 2 * body->raw_size);
		char	   *larger = MemoryContextAllocExtended(body->context, size,
														MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

		if (larger == NULL)
		{
			body->fault = HTTP_BODY_NO_MEMORY;
			return false;
		}
		if (body->raw != NULL)
		{
			memcpy(larger, body->raw, body->raw_used);
			explicit_bzero(body->raw, body->raw_size);
			pfree(body->raw);
		}
		body->raw = larger;
		body->raw_size = size;
	}
	memcpy(body->raw + body->raw_used, data, length);
	body->raw_used = needed;
	return true;
}

bool
http_body_receive(HttpBody * body, bool success, const char *data, size_t length)
{
	if (!body->received)
	{
		body->success = success;
		body->coding = decoder_coding(body->encoding);
		body->received = true;
	}
	if (body->fault != HTTP_BODY_FINE)
		return false;
	return body->coding == DECODER_IDENTITY ? keep_decoded(body, data, length) :
		keep_raw(body, data, length);
}

void
http_body_refuse(HttpBody * body, const char *problem)
{
	body->fault = HTTP_BODY_DAMAGED;
	body->problem = problem;
}

static void
prepare_decoder(HttpBody * body)
{
	if (body->decoder != NULL)
		return;
	body->decoder = decoder_create(body->coding);
	if (body->decoder == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("A decoder could not be made.")));
	if (body->decoded == NULL)
		body->decoded = MemoryContextAlloc(body->context, DECODED_SIZE);
}

static bool
decode_piece(HttpBody * body)
{
	size_t		read;
	size_t		written;
	DecoderOutcome outcome;

	prepare_decoder(body);
	outcome = decoder_run(body->decoder, body->raw + body->raw_done, body->raw_used - body->raw_done, &read,
						  body->decoded, DECODED_SIZE, &written);
	body->raw_done += read;
	if (!keep_decoded(body, body->decoded, written))
		return false;
	if (outcome == DECODER_DAMAGED)
	{
		http_body_refuse(body, decoder_problem(body->decoder));
		return false;
	}
	if (outcome == DECODER_FULL)
		return true;
	Assert(body->raw_done == body->raw_used);
	body->raw_done = body->raw_used = 0;
	return false;
}

bool
http_body_advance(HttpBody * body)
{
	bool		more = false;

	if (body->fault != HTTP_BODY_FINE)
		return false;
	if (body->coding == DECODER_REFUSED)
		http_body_refuse(body, "its Content-Encoding is not supported");
	else if (body->raw_used > 0)
		more = decode_piece(body);
	spool_flush(body->spool);
	return more;
}

void
http_body_finish(HttpBody * body, bool success)
{
	if (body->fault != HTTP_BODY_FINE || !success)
		return;
	if (!body->received)
	{
		/* no stream is empty */
		if (decoder_coding(body->encoding) != DECODER_IDENTITY)
			http_body_refuse(body, "the compressed data ends too early");
	}
	else if (body->coding != DECODER_IDENTITY && !decoder_end(body->decoder))
		http_body_refuse(body, decoder_problem(body->decoder));
}

/*-------------------------------------------------------------------------
 *
 * http_body.h
 *		The body of an answer on its way from libcurl into a spool.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_BODY_H
#define SPICE_HTTP_BODY_H

#include "source/http/decoder.h"
#include "source/http/spool.h"

#define HTTP_EXCERPT_SIZE	16384

/* why a body is taken no further */
typedef enum HttpBodyFault
{
	HTTP_BODY_FINE,
	HTTP_BODY_TOO_LARGE,		/* over max_size */
	HTTP_BODY_ENOUGH,			/* of an answer that is no success: the excerpt is full */
	HTTP_BODY_DAMAGED,			/* problem says why */
	HTTP_BODY_NO_MEMORY
} HttpBodyFault;

typedef struct HttpBody
{
	Spool	   *spool;			/* takes the body of a success */
	int64		max_size;
	MemoryContext context;

	/* what is known of it */
	HttpBodyFault fault;
	const char *problem;
	int64		bytes;			/* decoded */
	char		encoding[64];	/* Content-Encoding */
	char		excerpt[HTTP_EXCERPT_SIZE]; /* its start, decoded */
	size_t		excerpt_length;

	/* private */
	bool		success;
	bool		received;		/* any byte */
	DecoderCoding coding;
	Decoder    *decoder;
	char	   *raw;			/* received and not decoded yet: from raw_done to raw_used */
	size_t		raw_size;
	size_t		raw_used;
	size_t		raw_done;
	char	   *decoded;
} HttpBody;

/* forgets all but spool, max_size and context */
extern void http_body_reset(HttpBody * body);
extern void http_body_release(HttpBody * body);

/* an answer's header line: keeps Content-Encoding, all of several */
extern void http_body_keep_encoding(HttpBody * body, const char *line, size_t length);

/* In libcurl's callback: copies.  False: it is taken no further. */
extern bool http_body_receive(HttpBody * body, bool success, const char *data, size_t length);

/*
 * Outside of libcurl: decodes a piece of what was received and writes what
 * memory is not to hold.  True: there is more to decode.  May raise an error.
 */
extern bool http_body_advance(HttpBody * body);

/* the body is not to be believed */
extern void http_body_refuse(HttpBody * body, const char *problem);

/* the answer is complete and all of it decoded: is the body? */
extern void http_body_finish(HttpBody * body, bool success);

#endif

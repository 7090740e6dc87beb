/*-------------------------------------------------------------------------
 *
 * token_answer.h
 *		The answer of a token server (RFC 6749).
 *
 * Includes no server header: built on the host with sanitizers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TOKEN_ANSWER_H
#define SPICE_TOKEN_ANSWER_H

#include <stddef.h>

typedef struct TokenAnswer
{
	char	   *token;			/* both are freed, and wiped, by token_answer_free() */
	char	   *refresh_token;	/* or NULL */
	int			life_s;			/* 0: it does not say */
	const char *fault;			/* why there is no token, as the end of a sentence; or NULL */
} TokenAnswer;

/* Reads a text of JSON; longest: bytes of a token that can be sent. */
extern void token_answer_read(const char *text, size_t longest, TokenAnswer *answer);
extern void token_answer_free(TokenAnswer *answer);

#endif

/*-------------------------------------------------------------------------
 *
 * redaction.h
 *		Secrets that texts from outside must not repeat.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REDACTION_H
#define SPICE_REDACTION_H

#include <stdbool.h>

typedef struct Redaction Redaction;

/* NULL: out of memory */
extern Redaction * redaction_create(void);
extern void redaction_free(Redaction * redaction);	/* wipes; NULL does nothing */

/* Copies the secret, unless it is shorter than four bytes.  False: out of memory. */
extern bool redaction_add(Redaction * redaction, const char *secret);

/*
 * Does text hold a secret, or six bytes in a row of one, as it stands or escaped as in
 * JSON, HTML, a URL or base64?  True also when out of memory.
 */
extern bool redaction_finds(const Redaction * redaction, const char *text);

/* in place: asterisks for what is found as it stands or in base64 */
extern void redaction_strike(const Redaction * redaction, char *text);

#endif

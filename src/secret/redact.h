/*-------------------------------------------------------------------------
 *
 * redact.h
 *		The gate through which errors and notices leave a refresh or a scan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REDACT_H
#define SPICE_REDACT_H

#include "secret/redaction.h"

/*
 * Returns an empty set of secrets, which is wiped when context is reset.  Until then no
 * error repeats them.  The gate looks for the secrets of all sets of the process.
 */
extern Redaction * redact_open(MemoryContext context);

/* text, or a copy in which secrets are struck */
extern char *redact_text(const char *text);

/* Calls step; an error that it raises goes on without any secret. */
extern void redact_call(void (*step) (void *arg), void *arg);

#endif

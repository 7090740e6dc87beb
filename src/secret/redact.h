/*-------------------------------------------------------------------------
 *
 * redact.h
 *		The gate through which errors leave a refresh or a scan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REDACT_H
#define SPICE_REDACT_H

#include "secret/redaction.h"

/*
 * A set of secrets that no error repeats until context is reset, which wipes the
 * set.  The sets of all contexts of the process hold together.
 */
extern Redaction * redact_open(MemoryContext context);

/* text, or a copy in which secrets are struck */
extern char *redact_text(char *text);

/* Calls step; an error that it raises goes on without any secret. */
extern void redact_call(void (*step) (void *arg), void *arg);

#endif

/*-------------------------------------------------------------------------
 *
 * abort.h
 *		Makes the end of a failed transaction durable before its files are gone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ABORT_H
#define SPICE_ABORT_H

/* The caller calls this before the transaction makes storage. */
extern void abort_durably(void);

/* Flushes the log up to now. */
extern void abort_flush_log(void);

#endif

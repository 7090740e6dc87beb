/*-------------------------------------------------------------------------
 *
 * abort.h
 *		Makes the end of a failed transaction durable before its files are gone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ABORT_H
#define SPICE_ABORT_H

#include "access/xact.h"

/* The caller calls this before the transaction makes storage. */
extern void abort_durably(void);
extern void abort_at_end(XactEvent event);
extern void abort_at_subtransaction_end(SubXactEvent event);

/* Flushes the log up to now. */
extern void abort_flush_log(void);

#endif

/*-------------------------------------------------------------------------
 *
 * abort.c
 *		What a transaction that ends in an abort owes to the recovery after a crash.
 *
 * A file that a transaction has made is cut to nothing and taken away when it
 * aborts, but its name stays until the next checkpoint; the init fork of an
 * unlogged relation goes at once.  The record of the abort is not waited for.
 * If the server then crashes, and of the log only the part has reached the disk
 * that makes the init fork, recovery makes it again, wants to copy it to the
 * file whose name is still taken, and fails; no later start fares better.
 *
 * When the postmaster is killed that is what happens: its children abort on
 * their way out, and nobody writes the log for them any more.  So where a heap
 * without log was made, the record is on disk before the files go.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"

#include "table/table.h"

static bool unlogged_made;

/* the end of what has been written to the log, and not the beginning of what will be */
static XLogRecPtr
end_of_log(void)
{
	XLogRecPtr	position = GetXLogInsertRecPtr();

	if (XLogSegmentOffset(position, wal_segment_size) == SizeOfXLogLongPHD)
		return position - SizeOfXLogLongPHD;
	if (position % XLOG_BLCKSZ == SizeOfXLogShortPHD)
		return position - SizeOfXLogShortPHD;
	return position;
}

/* after the record was written, before the files go */
static void
at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (unlogged_made && event == XACT_EVENT_ABORT)
		XLogFlush(end_of_log());
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		unlogged_made = false;
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subtransaction pg_attribute_unused(),
					  SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (unlogged_made && event == SUBXACT_EVENT_ABORT_SUB)
		XLogFlush(end_of_log());
}

void
abort_expects_unlogged(void)
{
	static bool registered;

	if (!registered)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		RegisterSubXactCallback(at_subtransaction_end, NULL);
		registered = true;
	}
	unlogged_made = true;
}

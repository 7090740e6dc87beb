/*-------------------------------------------------------------------------
 *
 * abort.c
 *		Makes the end of a transaction that has failed durable before the files
 *		that it made are gone.
 *
 * The server removes the files of a transaction that is rolled back as soon as
 * its log says so, and does not wait for that record to be on disk: what such a
 * transaction did is lost in a crash anyhow.  But when a crash takes the record
 * away, recovery makes again what the log still has of those files: for each
 * unlogged relation its init fork, from which it then creates the main fork,
 * fails, since of that one the server keeps an empty file until the next
 * checkpoint, and the server does not start any more.  Of a logged relation an
 * unknown file stays.
 *
 * To the server it seldom happens; a refresh makes storage each time, and ends
 * in an error by itself when the postmaster is gone.  So the record is flushed
 * first, in the one place that lies between it and the files.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "catalog/pg_control.h"

#include "table/abort.h"

/* nesting level of the deepest transaction that may have made storage; 0: none has */
static int	storage_level;

/* up to a record of our own, as the end of the one before is not told */
void
abort_flush_log(void)
{
	char		nothing = 0;

	XLogBeginInsert();
	XLogRegisterData(&nothing, sizeof(nothing));
	XLogFlush(XLogInsert(RM_XLOG_ID, XLOG_NOOP));
}

void
abort_at_end(XactEvent event)
{
	if (event == XACT_EVENT_ABORT && storage_level > 0)
		abort_flush_log();
	storage_level = 0;
}

/* What a subtransaction has made is its parent's once it has ended well. */
void
abort_at_subtransaction_end(SubXactEvent event)
{
	int			level = GetCurrentTransactionNestLevel();

	if ((event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB) ||
		storage_level < level)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		abort_flush_log();
	storage_level = level - 1;
}

void
abort_durably(void)
{
	storage_level = Max(storage_level, GetCurrentTransactionNestLevel());
}

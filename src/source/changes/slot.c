/*-------------------------------------------------------------------------
 *
 * slot.c
 *		A replication slot on a source, and a copy of the table as it was when
 *		the slot began.
 *
 * The source's server keeps its log from the moment at which a slot is created,
 * even if no process reads from the slot.  So the caller records a slot before it
 * creates it, and tries to drop a recorded slot until it succeeds.
 *
 * The copy is read in the transaction that created the slot, with the slot's own
 * snapshot.  So each row comes once: in the copy or as a change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/copy.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/pg_lsn.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "source/changes/slot.h"
#include "source/postgres_connector.h"

#define DROP_PATIENCE_MS	10000	/* for the process that reads the slot to release it */
#define DROP_PAUSE_MS		100

Remote *
changes_open(const Dataset *dataset, MemoryContext context)
{
	MemoryContext secrets = AllocSetContextCreate(context, "spice secrets", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(secrets);
	RemotePlace place;
	Remote	   *volatile remote = NULL;

	postgres_place(dataset, &place);
	PG_TRY();
	{
		remote = remote_connect(dataset, &place, context);
	}
	PG_FINALLY();
	{
		if (place.password != NULL)
			explicit_bzero(place.password, strlen(place.password));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(secrets);
	return remote;
}

static XLogRecPtr
read_position(const char *text)
{
	return text == NULL ? InvalidXLogRecPtr :
		DatumGetLSN(DirectFunctionCall1(pg_lsn_in, CStringGetDatum(text)));
}

/* versions differ in whether they tell why a slot is lost, and where; the oldest knows one way only */
#define LOST_REASON \
	"CASE s.wal_status WHEN 'lost' THEN coalesce(to_jsonb(s) ->> 'invalidation_reason'," \
	" CASE to_jsonb(s) ->> 'conflicting' WHEN 'true' THEN 'rows_removed' END, 'wal_removed') END"

SourceSlot
changes_slot(Remote *source, const char *slot)
{
	RemoteRows *rows = remote_query(source,
									psprintf("SELECT s.slot_name, " LOST_REASON ", s.confirmed_flush_lsn,"
											 " CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
											 " ELSE pg_current_wal_flush_lsn() END"
											 " FROM (VALUES (1)) v LEFT JOIN pg_catalog.pg_replication_slots s"
											 " ON s.slot_name = %s", quote_literal_cstr(slot)), NULL);
	SourceSlot	state = {
		.exists = remote_value(rows, 0, 0) != NULL,
		.lost = remote_value(rows, 0, 1),
		.confirmed = read_position(remote_value(rows, 0, 2)),
		.position = read_position(remote_value(rows, 0, 3)),
	};

	return state;
}

void
changes_drop_slot(Remote *source, const char *slot)
{
	char	   *statement = psprintf("SELECT pg_drop_replication_slot(slot_name)"
									 " FROM pg_catalog.pg_replication_slots WHERE slot_name = %s",
									 quote_literal_cstr(slot));
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), DROP_PATIENCE_MS);

	/* in use: by the process that served the subscription a moment ago, as a rule */
	while (remote_query(source, statement, GetCurrentTimestamp() < deadline ? "55006 42704" : "42704") == NULL &&
		   changes_slot(source, slot).exists)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, DROP_PAUSE_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
changes_create_slot(Remote *source, const char *slot)
{
	(void) remote_query(source, "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", NULL);
	/* waits for the transactions that are under way on the source */
	(void) remote_query(source, psprintf("CREATE_REPLICATION_SLOT %s LOGICAL pgoutput (SNAPSHOT 'use')",
										 quote_identifier(slot)), NULL);
}

/* ------- the copy ------- */

/* the parser of COPY asks for its bytes without saying whose */
static struct
{
	Remote	   *source;
	CopyFromState state;
	Relation	relation;
	char	   *bytes;			/* of a row, and how many are yet to be taken */
	int			left;
	bool		over;
} copy;

static int
give_bytes(void *buffer, int minimum, int maximum)
{
	int			given = 0;

	while (given < minimum)
	{
		int			part;

		if (copy.left == 0 && !copy.over)
			copy.left = remote_copy_read(copy.source, &copy.bytes);
		copy.over = copy.left == 0;
		if (copy.over)
			break;
		part = Min(copy.left, maximum - given);
		memcpy((char *) buffer + given, copy.bytes, part);
		copy.bytes += part;
		copy.left -= part;
		given += part;
	}
	return given;
}

static char *
copy_statement(const Dataset *dataset, const PublishedTable *table)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	appendStringInfoString(&text, "COPY (SELECT ");
	foreach(cell, table->columns)
		appendStringInfo(&text, "%s%s", cell == list_head(table->columns) ? "" : ", ",
						 quote_identifier(lfirst(cell)));
	appendStringInfo(&text, " FROM %s%s", table->partitioned ? "" : "ONLY ",
					 quote_qualified_identifier(dataset->remote_schema, dataset->remote_table));
	if (table->filter != NULL)
		appendStringInfo(&text, " WHERE %s", table->filter);
	appendStringInfoString(&text, ") TO STDOUT");
	return text.data;
}

void
changes_copy_begin(Remote *source, const PublishedTable *table, Oid relation)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, table->columns)
		columns = lappend(columns, makeString(lfirst(cell)));
	memset(&copy, 0, sizeof(copy));
	remote_copy_begin(source, copy_statement(remote_dataset(source), table));
	copy.source = source;
	copy.relation = table_open(relation, AccessShareLock);
	copy.state = BeginCopyFrom(NULL, copy.relation, NULL, NULL, false, give_bytes, columns,
							   list_make1(makeDefElem("encoding", (Node *) makeString(unconstify(char *, GetDatabaseEncodingName())), -1)));
}

bool
changes_copy_next(Datum *values, bool *nulls, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ErrorContextCallback callback = {error_context_stack, CopyFromErrorCallback, copy.state};
	bool		found;

	error_context_stack = &callback;
	found = NextCopyFrom(copy.state, NULL, values, nulls);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old);
	return found;
}

void
changes_copy_end(void)
{
	EndCopyFrom(copy.state);
	table_close(copy.relation, AccessShareLock);
}

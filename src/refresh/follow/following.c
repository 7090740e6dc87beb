/*-------------------------------------------------------------------------
 *
 * following.c
 *		A dataset whose table follows its source: refresh_mode changes.
 *
 * The refresh that the launcher starts is a check.  It becomes a snapshot if
 *
 *		nothing has been loaded, or the definition has changed,
 *		a session has requested it,
 *		the subscription or the table is gone,
 *		the slot is gone, or the log that it needs,
 *		the publication is gone, or publishes other columns or rows, or
 *		a change cannot be applied, and would fail again.
 *
 * A snapshot is a refresh like any other: a copy is loaded beside the table and
 * swapped in.  The subscription is created in the same transaction, and begins at
 * the point of the source's log at which the copy was taken.
 *
 * The old slot is dropped first, and the new one is recorded before it is
 * created (slot_ledger.h), so that no slot is ever left without a record.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_attribute.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/dataset_row.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "refresh/apply.h"
#include "refresh/follow/apply_error.h"
#include "refresh/follow/following.h"
#include "refresh/follow/slot_ledger.h"
#include "refresh/follow/snapshot.h"
#include "refresh/follow/subscription.h"
#include "refresh/history.h"
#include "refresh/schedule.h"
#include "refresh/state.h"
#include "refresh/step.h"
#include "secret/redact.h"
#include "source/changes/slot.h"
#include "source/postgres_connector.h"

#define STOPPED_MS	15000		/* it is started anew every 5 s; longer than that is worth a word */
#define QUIET_MS	300000		/* without a conflict: the next one is the first */

/* ------- slots that are no longer wanted ------- */

/* The local side, which needs no connection: the table receives no more changes. */
static List *
unsubscribe(int dataset, MemoryContext context)
{
	List	   *entries;
	ListCell   *cell;

	step_begin();
	MemoryContextSwitchTo(context);
	entries = ledger_leaving(dataset);
	foreach(cell, entries)
	{
		SlotEntry  *entry = lfirst(cell);

		if (!OidIsValid(entry->subscription))
			continue;
		subscription_drop(entry->subscription);
		ledger_unsubscribed(entry->id);
	}
	step_commit();
	return entries;
}

static void
drop_slot(void *arg)
{
	const SlotEntry *entry = arg;
	MemoryContext context = CurrentMemoryContext;
	Dataset    *dataset;

	step_begin();
	MemoryContextSwitchTo(context);
	dataset = catalog_dataset_of(entry->dataset, entry->definition);
	step_commit();
	changes_drop_slot(changes_open(dataset, context), entry->name);
	step_begin();
	ledger_forget(entry->id);
	step_commit();
}

static void
note_failure(const SlotEntry *entry, const ErrorData *error)
{
	char	   *text = psprintf("replication slot %s is still on its source, whose log it keeps: %s%s%s (it is tried again; to drop it by hand: SELECT pg_drop_replication_slot(%s))",
								entry->name, error->message, error->detail ? "; " : "", error->detail ? error->detail : "",
								quote_literal_cstr(entry->name));

	step_begin();
	ledger_failed(entry->id, text,
				  schedule_retry_delay(entry->attempt + 1, pg_prng_double(&pg_global_prng_state)));
	step_commit();
}

static void
release_entry(SlotEntry *entry)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(before, "spice release", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		redact_call(drop_slot, entry);
	}
	PG_CATCH();
	{
		ErrorData  *error = step_rescue(context);

		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		note_failure(entry, error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

void
following_release(int dataset)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(before, "spice release", ALLOCSET_DEFAULT_SIZES);
	ListCell   *cell;

	MemoryContextSwitchTo(context);
	foreach(cell, unsubscribe(dataset, context))
		release_entry(lfirst(cell));
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

void
following_leave(Refresh *refresh)
{
	int			n;

	step_begin();
	n = ledger_leave(refresh->dataset->id, false);
	step_commit();
	/* the launcher schedules slots that have left before */
	if (n > 0)
		following_release(refresh->dataset->id);
}

/* ------- is there a reason for a snapshot? ------- */

/* Logical replication finds the table by its name on the source. */
static void
refuse_renamed(const Dataset *dataset)
{
	char	   *name;
	char	   *wanted = quote_qualified_identifier(dataset->schema, dataset->table);

	if (!OidIsValid(dataset->relation))
		return;
	name = catalog_relation_name(dataset->relation);
	if (strcmp(name, wanted) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the table of dataset \"%s\" is called %s", dataset->name, name),
				 errdetail("In refresh_mode changes it has the name of its source's table, %s.", wanted),
				 errhint("ALTER TABLE ... RENAME or SET SCHEMA gives it back.")));
}

/* What can be known without the source; NULL: no reason. */
static const char *
local_reason(const Refresh *refresh, const SlotEntry *entry, const SubscriptionState *state)
{
	const Dataset *dataset = refresh->dataset;

	if (!dataset->loaded)
		return "";
	if (strcmp(refresh->trigger, "request") == 0)
		return "a new snapshot was requested";
	if (dataset->changed)
		return "the definition has changed";
	if (!OidIsValid(dataset->relation))
		return "the table was dropped";
	if (entry == NULL || !state->exists)
		return "there was no subscription";
	return state->has_table ? NULL : "the table was not the subscription's";
}

static const char *
lost_reason(const SlotEntry *entry, const char *lost)
{
	if (strcmp(lost, "wal_removed") == 0)
		return psprintf("the source no longer had the log that replication slot %s needs (its max_slot_wal_keep_size is too small for such an outage)",
						entry->name);
	if (strcmp(lost, "rows_removed") == 0)
		return psprintf("the source, a standby, no longer had the rows of its catalogs that replication slot %s needs (it should have hot_standby_feedback = on, and a primary_slot_name)",
						entry->name);
	return psprintf("the source had given up replication slot %s: %s", entry->name, lost);
}

static const char *
remote_reason(const SlotEntry *entry, const SourceSlot *slot, const PublishedTable *table)
{
	if (!slot->exists)
		return psprintf("replication slot %s was gone from the source", entry->name);
	if (slot->lost != NULL)
		return lost_reason(entry, slot->lost);
	if (table == NULL)
		return "the publication was gone from the source, or had lost the table";
	if (strcmp(table->shape, entry->shape) != 0)
		return psprintf("the source had changed what it publishes: %s; before: %s", table->shape, entry->shape);
	return NULL;
}

static const char *
conflict_reason(const ApplyError *error)
{
	return psprintf("a change could not be applied: %s (no other session should write to the table)", error->text);
}

/* ------- a check ------- */

static const char *
stopped_problem(const SlotEntry *entry, const SubscriptionState *state, const ApplyError *error)
{
	if (state->running)
		return NULL;
	if (state->no_room)
		return "no process applies changes: all of max_logical_replication_workers are taken (raise it, and max_worker_processes)";
	if (entry->stopped == 0 ||
		!TimestampDifferenceExceeds(entry->stopped, GetCurrentTimestamp(), STOPPED_MS))
		return NULL;
	return psprintf("no process applies changes%s%s (the server's log says why; max_worker_processes and max_replication_slots may be too small)",
					error ? ": " : "", error ? error->text : "");
}

/* There is no reason for a snapshot. */
static void
note_following(Refresh *refresh, const SlotEntry *entry, SubscriptionState *state, const SourceSlot *slot,
			   const ApplyError *error)
{
	const char *problem;
	char	   *conninfo;
	CatalogRights rights;

	step_begin();
	if (!catalog_dataset_again(refresh->dataset))
	{
		/* the definition has changed, which makes the dataset due */
		step_commit();
		return;
	}
	/* the source was asked first, so the position of the apply worker is not older */
	*state = subscription_look(entry->subscription, refresh->dataset->relation);
	conninfo = postgres_conninfo(refresh->dataset);
	if (state->exists && strcmp(conninfo, state->conninfo) != 0)
		subscription_connect(entry->subscription, conninfo);
	if (state->exists && !state->enabled)
		subscription_enable(entry->subscription);
	ledger_checked(entry, slot, state->applied >= slot->position, state->running,
				   TimestampDifferenceExceeds(entry->created, GetCurrentTimestamp(), QUIET_MS));
	problem = stopped_problem(entry, state, error);
	if (problem != NULL)
		state_failed(refresh, problem, schedule_next_delay(refresh->dataset), false);
	else
	{
		catalog_enter(&rights);
		apply_descriptions(refresh);
		catalog_leave(&rights);
		refresh->outcome = OUTCOME_FOLLOWING;
		state_checked(refresh);
	}
	step_commit();
}

/* ------- a snapshot ------- */

static const DatasetIndex *
primary_key_of(List *indexes)
{
	ListCell   *cell;

	foreach(cell, indexes)
	{
		const DatasetIndex *index = lfirst(cell);

		if (index->primary)
			return index;
	}
	return NULL;
}

static DatasetIndex *
make_primary_key(List *columns)
{
	DatasetIndex *index = palloc0(sizeof(DatasetIndex));

	index->columns = columns;
	index->unique = true;
	index->primary = true;
	return index;
}

/* Columns of the primary key that the table has; NIL: it has none. */
static List *
key_of_table(Oid relation)
{
	List	   *columns = NIL;
	Relation	table = try_table_open(relation, AccessShareLock);
	Oid			index_oid;

	if (table == NULL)
		return NIL;
	(void) RelationGetIndexList(table);
	index_oid = table->rd_pkindex;
	if (OidIsValid(index_oid))
	{
		Relation	index = index_open(index_oid, AccessShareLock);

		for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
			columns = lappend(columns, get_attname(relation, index->rd_index->indkey.values[i], false));
		index_close(index, AccessShareLock);
	}
	table_close(table, AccessShareLock);
	return columns;
}

/*
 * Without a primary key in the manifest the table gets the source's, in place of
 * the one that it had from the source before.
 */
static void
take_primary_key(Dataset *dataset, const PublishedTable *table)
{
	const DatasetIndex *key = primary_key_of(dataset->indexes);
	ListCell   *cell;

	if (key == NULL)
	{
		List	   *before = OidIsValid(dataset->relation) ? key_of_table(dataset->relation) : NIL;

		if (table->key != NIL)
			dataset->indexes = lcons(make_primary_key(table->key), dataset->indexes);
		if (before != NIL && primary_key_of(dataset->applied_indexes) == NULL)
			dataset->applied_indexes = lcons(make_primary_key(before), dataset->applied_indexes);
		return;
	}
	foreach(cell, key->columns)
	{
		if (table->changes_rows && !table->identity_full && !catalog_names_have(table->key, lfirst(cell)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
					 errmsg("primary_key of dataset \"%s\" has column \"%s\", which is not in the source's replica identity",
							dataset->name, (char *) lfirst(cell)),
					 errhint("Take primary_key out: the table has the source's. Or ALTER TABLE ... REPLICA IDENTITY FULL on the source.")));
	}
}

/* Drops a slot of this name that exists, unless the manifest names it and it was not spice's. */
static void
clear_slot(const Dataset *dataset, Remote *source, const char *slot, bool ours)
{
	if (!changes_slot(source, slot).exists)
		return;
	if (!ours && catalog_param(dataset, "pg_replication_slot") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("replication slot %s of dataset \"%s\" is on the source already, and not spice's",
						slot, dataset->name),
				 errhint("Name another pg_replication_slot, or drop it: SELECT pg_drop_replication_slot('%s').", slot)));
	changes_drop_slot(source, slot);
}

/* Has a slot of this name been spice's? */
static bool
is_leaving(int dataset, const char *slot)
{
	ListCell   *cell;

	foreach(cell, ledger_leaving(dataset))
	{
		if (strcmp(((SlotEntry *) lfirst(cell))->name, slot) == 0)
			return true;
	}
	return false;
}

static void
report_phase(const Refresh *refresh, const char *phase)
{
	pgstat_report_activity(STATE_RUNNING, psprintf("refresh of %s: %s", refresh->dataset->name, phase));
}

/* From here on the check is a refresh, with a row of history. */
static void
begin_history(Refresh *refresh, const char *reason)
{
	step_begin();
	refresh->history = history_begin(refresh);
	if (reason[0] != '\0')
	{
		refresh->notice = MemoryContextStrdup(refresh->context,
											  redact_text(psprintf("new snapshot: %s", reason)));
		ereport(LOG, (errmsg("dataset \"%s\": %s", refresh->dataset->name, refresh->notice)));
		state_troubled(refresh, refresh->notice);
	}
	step_commit();
}

static void
take_snapshot(Refresh *refresh, Remote *source, const char *reason, int conflicts)
{
	Dataset    *dataset = refresh->dataset;
	SourceCopy *snapshot = palloc0(sizeof(SourceCopy));
	bool		ours;

	begin_history(refresh, reason);
	report_phase(refresh, "publication");
	snapshot->source = source ? source : changes_open(dataset, refresh->context);
	snapshot->table = changes_publish(snapshot->source);
	step_begin();
	MemoryContextSwitchTo(refresh->context);
	snapshot->slot = subscription_name(dataset);
	take_primary_key(dataset, snapshot->table);
	(void) ledger_leave(dataset->id, false);
	ours = is_leaving(dataset->id, snapshot->slot);
	step_commit();
	following_release(dataset->id);
	clear_slot(dataset, snapshot->source, snapshot->slot, ours);

	step_begin();
	snapshot->entry = ledger_begin(dataset, snapshot->slot, snapshot->table->shape, conflicts);
	step_commit();
	report_phase(refresh, "replication slot");
	changes_create_slot(snapshot->source, snapshot->slot);

	report_phase(refresh, "copy");
	/* columns and key become those that the source has now */
	dataset->changed = dataset->source_changed = dataset->evolving = true;
	refresh->snapshot = snapshot;
	step_begin();
	refresh_apply(refresh);
	ledger_follow(snapshot->entry, snapshot->subscription);
	step_commit();
}

/* A conflict that recurs does not cause one copy after the other. */
static bool
is_too_soon(Refresh *refresh, const SlotEntry *entry, const char *reason)
{
	TimestampTz due;
	TimestampTz now = GetCurrentTimestamp();

	if (entry->attempt == 0)
		return false;
	due = TimestampTzPlusMilliseconds(entry->created, schedule_retry_delay(entry->attempt, 0.5));
	if (due <= now)
		return false;
	step_begin();
	state_failed(refresh, reason, Max(TimestampDifferenceMilliseconds(now, due), 1), false);
	step_commit();
	return true;
}

void
following_follow(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;
	SubscriptionState state = {0};
	ApplyError	error;
	Remote	   *source;
	SlotEntry  *entry;
	SourceSlot	slot;
	const char *reason;
	bool		failed = false;

	if (!dataset->in_manifest)
		return;
	step_begin();
	MemoryContextSwitchTo(refresh->context);
	refuse_renamed(dataset);
	entry = ledger_current(dataset->id);
	if (entry != NULL && OidIsValid(entry->subscription))
		state = subscription_look(entry->subscription, dataset->relation);
	reason = local_reason(refresh, entry, &state);
	step_commit();
	if (reason != NULL)
	{
		take_snapshot(refresh, NULL, reason, 0);
		return;
	}
	report_phase(refresh, "check");
	failed = apply_error_of(entry->subscription, &error);
	source = changes_open(dataset, refresh->context);
	slot = changes_slot(source, entry->name);
	reason = remote_reason(entry, &slot, changes_look(source));
	if (reason != NULL)
		take_snapshot(refresh, source, reason, 0);
	else if (failed && apply_error_stays(&error))
	{
		if (!is_too_soon(refresh, entry, conflict_reason(&error)))
			take_snapshot(refresh, source, conflict_reason(&error), entry->attempt + 1);
	}
	else
		note_following(refresh, entry, &state, &slot, failed ? &error : NULL);
}

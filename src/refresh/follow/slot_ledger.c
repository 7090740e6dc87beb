/*-------------------------------------------------------------------------
 *
 * slot_ledger.c
 *		Replication slots that we have made on sources: spice.slot.
 *
 * A slot that is forgotten fills the disk of somebody else's server.  A row
 * outlives what it was written for, the definition, the dataset, the worker, and
 * has in it what is needed to find the slot again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/pg_lsn.h"
#include "utils/timestamp.h"

#include "catalog/execute.h"
#include "catalog/extension.h"
#include "catalog/rights.h"
#include "refresh/follow/slot_ledger.h"

/* one statement; how many rows it found */
static uint64
run(const char *command, int nargs, Oid *types, Datum *values, const char *nulls)
{
	CatalogRights rights;
	uint64		processed;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute(command, nargs, types, values, nulls);
	processed = SPI_processed;
	SPI_finish();
	catalog_leave(&rights);
	return processed;
}

static uint64
run_by_id(const char *command, int id)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(id)};

	return run(command, 1, types, values, NULL);
}

static TimestampTz
read_time(uint64 row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(value);
}

static SlotEntry *
read_entry(uint64 row, MemoryContext context)
{
	SlotEntry  *entry = MemoryContextAllocZero(context, sizeof(SlotEntry));
	char	   *subscription = catalog_text(row, 6, context);

	entry->id = atoi(catalog_text(row, 1, context));
	entry->dataset = atoi(catalog_text(row, 2, context));
	entry->name = catalog_text(row, 3, context);
	entry->definition = catalog_text(row, 4, context);
	entry->shape = catalog_text(row, 5, context);
	entry->subscription = subscription ? (Oid) strtoul(subscription, NULL, 10) : InvalidOid;
	entry->attempt = atoi(catalog_text(row, 7, context));
	entry->created = read_time(row, 8);
	entry->stopped = read_time(row, 9);
	return entry;
}

/* of SlotEntry *, in the current context */
static List *
read_entries(int dataset, bool leaving)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {INT4OID, BOOLOID};
	Datum		values[] = {Int32GetDatum(dataset), BoolGetDatum(leaving)};
	List	   *entries = NIL;
	CatalogRights rights;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute_saved("SELECT s.id, s.dataset, s.name, s.definition::text, s.shape, s.subscription, s.attempt,"
						  " s.created, s.stopped FROM spice.slot s"
						  " WHERE s.dataset = $1 AND s.leaving = $2"
						  " AND s.home = (SELECT h.home FROM spice_catalog.home h) ORDER BY s.id", 2, types, values, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		SlotEntry  *entry = read_entry(row, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		entries = lappend(entries, entry);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	catalog_leave(&rights);
	return entries;
}

SlotEntry *
ledger_current(int dataset)
{
	List	   *entries = read_entries(dataset, false);

	return entries == NIL ? NULL : linitial(entries);
}

List *
ledger_leaving(int dataset)
{
	return read_entries(dataset, true);
}

int
ledger_begin(const Dataset *dataset, const char *name, const char *shape, int attempt)
{
	Oid			types[] = {INT4OID, TEXTOID, TEXTOID, TEXTOID, INT4OID};
	Datum		values[] = {Int32GetDatum(dataset->id), CStringGetTextDatum(name),
	CStringGetTextDatum(dataset->definition), CStringGetTextDatum(shape), Int32GetDatum(attempt)};

	(void) run("INSERT INTO spice.slot (home, dataset, name, definition, shape, attempt, created)"
			   " SELECT h.home, $1, $2, $3::jsonb, $4, $5, clock_timestamp() FROM spice_catalog.home h", 5, types, values, NULL);
	return ledger_current(dataset->id)->id;
}

void
ledger_follow(int entry, Oid subscription)
{
	Oid			types[] = {INT4OID, OIDOID};
	Datum		values[] = {Int32GetDatum(entry), ObjectIdGetDatum(subscription)};

	/* a dataset that has left the manifest meanwhile has had this marked as leaving */
	if (run("UPDATE spice.slot SET subscription = $2 WHERE id = $1 AND NOT leaving", 2, types, values, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the replication slot is no longer wanted")));
}

int
ledger_leave(int dataset, bool unfinished)
{
	return (int) run_by_id(unfinished ?
						   "UPDATE spice.slot SET leaving = true, attempt = 0, next_try = clock_timestamp()"
						   " WHERE dataset = $1 AND NOT leaving AND subscription IS NULL"
						   " AND home = (SELECT h.home FROM spice_catalog.home h)" :
						   "UPDATE spice.slot SET leaving = true, attempt = 0, next_try = clock_timestamp()"
						   " WHERE dataset = $1 AND NOT leaving"
						   " AND home = (SELECT h.home FROM spice_catalog.home h)", dataset);
}

void
ledger_unsubscribed(int entry)
{
	(void) run_by_id("UPDATE spice.slot SET subscription = NULL WHERE id = $1", entry);
}

void
ledger_failed(int entry, const char *error, int64 delay_ms)
{
	Oid			types[] = {INT4OID, TEXTOID, INT8OID};
	Datum		values[] = {Int32GetDatum(entry), CStringGetTextDatum(error), Int64GetDatum(delay_ms)};

	(void) run("UPDATE spice.slot SET error = $2, attempt = attempt + 1,"
			   " next_try = clock_timestamp() + $3 * interval '1 ms' WHERE id = $1", 3, types, values, NULL);
}

void
ledger_forget(int entry)
{
	(void) run_by_id("DELETE FROM spice.slot WHERE id = $1", entry);
}

void
ledger_checked(const SlotEntry *entry, const SourceSlot *slot, bool in_step, bool running, bool quiet)
{
	Oid			types[] = {INT4OID, LSNOID, LSNOID, BOOLOID, BOOLOID, BOOLOID};
	Datum		values[] = {Int32GetDatum(entry->id), LSNGetDatum(slot->position), LSNGetDatum(slot->confirmed),
	BoolGetDatum(in_step), BoolGetDatum(running), BoolGetDatum(quiet)};

	(void) run("UPDATE spice.slot SET position = $2, confirmed = $3,"
			   " in_step = CASE WHEN $4 THEN clock_timestamp() ELSE in_step END,"
			   " stopped = CASE WHEN NOT $5 THEN coalesce(stopped, clock_timestamp()) END,"
			   " attempt = CASE WHEN $6 THEN 0 ELSE attempt END WHERE id = $1", 6, types, values, NULL);
}

void
ledger_refuse_loss(void)
{
	MemoryContext context = CurrentMemoryContext;
	CatalogRights rights;
	char	   *names;

	/*
	 * Another version's ledger cannot be read, and shall not make the extension stay for ever.
	 * The lock is the one with which the extension goes.
	 */
	if (!OidIsValid(extension_lock(AccessExclusiveLock)) || !extension_version_agrees(0))
		return;
	catalog_enter(&rights);
	SPI_connect();
	catalog_execute("SELECT string_agg(s.name, ', ') FROM spice.slot s, spice_catalog.home h WHERE s.home = h.home", 0, NULL, NULL, NULL);
	names = catalog_text(0, 1, context);
	SPI_finish();
	catalog_leave(&rights);
	if (names != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("extension spice has replication slots on the sources of its datasets"),
				 errdetail("Nobody would drop them, and their servers would keep their logs: %s.", names),
				 errhint("Take these datasets out of the manifest and wait until spice.slot is empty. If a source is gone for good, DELETE its row from spice.slot.")));
}

/*-------------------------------------------------------------------------
 *
 * slot_ledger.c
 *		Replication slots that spice has made on sources: spice.slot.
 *
 * A slot that nothing reads fills the disk of the source's server.  So a row
 * outlives the definition, the dataset and the worker for which it was written,
 * and holds all that is needed to find the slot again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/pg_lsn.h"
#include "utils/timestamp.h"

#include "catalog/execute.h"
#include "catalog/extension.h"
#include "refresh/follow/slot_ledger.h"

static uint64
execute_by_id(const char *command, int id)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, id);
	return catalog_query(command, &arguments)->n;
}

static TimestampTz
get_time(const CatalogRows *rows, uint64 row, const char *column)
{
	bool		isnull;
	Datum		value = catalog_get(rows, row, column, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(value);
}

/* Returns SlotEntry *, in the current context. */
static List *
read_entries(int dataset, bool leaving)
{
	CatalogArguments arguments = {0};
	CatalogRows *rows;
	List	   *entries = NIL;

	catalog_add_int(&arguments, dataset);
	catalog_add_bool(&arguments, leaving);
	rows = catalog_query("SELECT * FROM spice_catalog.own_slot WHERE dataset = $1 AND leaving = $2 ORDER BY id", &arguments);
	for (uint64 row = 0; row < rows->n; row++)
	{
		SlotEntry  *entry = palloc(sizeof(SlotEntry));

		entry->id = (int) catalog_get_int(rows, row, "id", 0);
		entry->dataset = dataset;
		entry->name = catalog_get_text(rows, row, "name");
		entry->definition = catalog_get_text(rows, row, "definition");
		entry->shape = catalog_get_text(rows, row, "shape");
		entry->subscription = catalog_get_oid(rows, row, "subscription");
		entry->attempt = (int) catalog_get_int(rows, row, "attempt", 0);
		entry->created = get_time(rows, row, "created");
		entry->stopped = get_time(rows, row, "stopped");
		entries = lappend(entries, entry);
	}
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
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, dataset->id);
	catalog_add_text(&arguments, name);
	catalog_add_text(&arguments, dataset->definition);
	catalog_add_text(&arguments, shape);
	catalog_add_int(&arguments, attempt);
	return (int) catalog_get_int(catalog_query("SELECT spice_catalog.begin_slot($1, $2, $3, $4, $5) AS id", &arguments), 0, "id", 0);
}

void
ledger_follow(int entry, Oid subscription)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, entry);
	catalog_add_oid(&arguments, subscription);
	/* the slot is leaving if the dataset has left the manifest during the copy */
	if (catalog_query("UPDATE spice.slot SET subscription = $2 WHERE id = $1 AND NOT leaving",
					  &arguments)->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the replication slot is no longer wanted")));
}

int
ledger_leave(int dataset, bool unfinished)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, dataset);
	catalog_add_bool(&arguments, unfinished);
	return (int) catalog_query("SELECT spice_catalog.leave_slots($1, $2)", &arguments)->n;
}

void
ledger_unsubscribed(int entry)
{
	(void) execute_by_id("UPDATE spice.slot SET subscription = NULL WHERE id = $1", entry);
}

void
ledger_failed(int entry, const char *error, int64 delay_ms)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, entry);
	catalog_add_text(&arguments, error);
	catalog_add_int(&arguments, delay_ms);
	(void) catalog_query("SELECT spice_catalog.note_slot_failure($1, $2, $3)", &arguments);
}

void
ledger_forget(int entry)
{
	(void) execute_by_id("DELETE FROM spice.slot WHERE id = $1", entry);
}

void
ledger_checked(const SlotEntry *entry, const SourceSlot *slot, bool in_step, bool running, bool quiet)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, entry->id);
	catalog_add(&arguments, LSNOID, LSNGetDatum(slot->position), false);
	catalog_add(&arguments, LSNOID, LSNGetDatum(slot->confirmed), false);
	catalog_add_bool(&arguments, in_step);
	catalog_add_bool(&arguments, running);
	catalog_add_bool(&arguments, quiet);
	(void) catalog_query("SELECT spice_catalog.note_slot($1, $2, $3, $4, $5, $6)", &arguments);
}

void
ledger_refuse_loss(void)
{
	char	   *names;

	/*
	 * DROP EXTENSION takes the same lock.  The table of another version cannot be read, and does
	 * not keep the extension from being dropped.
	 */
	if (!OidIsValid(extension_lock(AccessExclusiveLock)) || !extension_version_agrees(0))
		return;
	names = catalog_get_text(catalog_query("SELECT string_agg(name, ', ') AS names FROM spice_catalog.own_slot", NULL),
							 0, "names");
	if (names != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("extension spice has replication slots on the sources of its datasets"),
				 errdetail("Without the extension they are never dropped, and their servers keep their logs: %s.", names),
				 errhint("Take these datasets out of the manifest and wait until spice.slot is empty. If a source is gone for good, DELETE its row from spice.slot.")));
}

/*-------------------------------------------------------------------------
 *
 * reconcile.c
 *		Makes the catalog agree with the manifest.
 *
 * Only definitions are reconciled here: tables are made and changed by the
 * refresh that first needs them, because only a response tells their columns.
 * A manifest that cannot be read changes nothing; a dataset that cannot be
 * accepted keeps the definition it had; one that has left keeps its table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "catalog/changes_sql.h"
#include "catalog/cron_jobs.h"
#include "catalog/dataset.h"
#include "catalog/execute.h"
#include "catalog/reconcile.h"
#include "catalog/refresh_sql.h"
#include "catalog/relation.h"
#include "catalog/retention_sql.h"
#include "catalog/rights.h"
#include "manifest/manifest.h"
#include "settings.h"

#define MAX_MANIFEST_SIZE	(4 * 1024 * 1024)

/* a definition that is new checks at once; $2: the definition */
#define NEXT_RETENTION \
	"CASE WHEN $2::jsonb->>'retention_check_interval_ms' IS NOT NULL THEN clock_timestamp() END"

/* the catalog's side of one dataset */
typedef struct KnownDataset
{
	bool		exists;
	bool		same;			/* the definition is the new one */
	bool		in_manifest;
	bool		had_error;
} KnownDataset;

char *
manifest_path(void)
{
	if (is_absolute_path(spice_spicepod))
		return pstrdup(spice_spicepod);
	return psprintf("%s/%s", DataDir, spice_spicepod);
}

/* the file's text, or NULL and the reason */
static char *
read_manifest(const char *path, size_t *length, char **error)
{
	struct stat status;
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	char	   *text = NULL;

	*error = NULL;
	if (file == NULL)
		*error = psprintf("cannot open manifest \"%s\": %m", path);
	else if (fstat(fileno(file), &status) != 0)
		*error = psprintf("cannot read manifest \"%s\": %m", path);
	else if (!S_ISREG(status.st_mode) || status.st_size > MAX_MANIFEST_SIZE)
		*error = psprintf("manifest \"%s\" is not a file of at most 4 MB", path);
	else
	{
		text = palloc(status.st_size + 1);
		*length = fread(text, 1, status.st_size, file);
		text[*length] = '\0';
		if (ferror(file))
			*error = psprintf("cannot read manifest \"%s\": %m", path);
	}
	if (file != NULL)
		FreeFile(file);
	return *error == NULL ? text : NULL;
}

static void
free_manifest(void *arg)
{
	manifest_free(arg);
}

/* freed with the current context */
static Manifest *
parse(const char *text, size_t length)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	Manifest   *manifest = manifest_parse(text, length);

	if (manifest == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	callback->func = free_manifest;
	callback->arg = manifest;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return manifest;
}

static char *
problem_text(const ManifestProblem *problem)
{
	StringInfoData text;

	initStringInfo(&text);
	if (problem->line > 0)
		appendStringInfo(&text, "line %d: ", problem->line);
	appendStringInfoString(&text, problem->message);
	if (problem->hint != NULL)
		appendStringInfo(&text, " (%s)", problem->hint);
	return text.data;
}

/* both raise an error with the reason when the text is not acceptable */
static void
check_refresh_sql(const ManifestDataset *dataset)
{
	if (dataset->changes)
		(void) changes_sql_parse(dataset->refresh_sql, dataset->name, dataset->schema, dataset->table);
	else if (dataset->refresh_sql != NULL)
		(void) refresh_sql_parse(dataset->refresh_sql, dataset->name, dataset->schema,
								 dataset->table, SPICE_SOURCE_SCHEMA, dataset->table);
}

static void
check_retention_sql(const ManifestDataset *dataset)
{
	char	   *alias;

	if (dataset->retention_sql != NULL)
		(void) retention_sql_parse(dataset->retention_sql, dataset->name, dataset->schema,
								   dataset->table, &alias);
}

/*
 * The server's own parser on a text of SQL; what it raises becomes a text.  A
 * subtransaction keeps the error from the caller's.
 */
static char *
sql_problem(const ManifestDataset *dataset, void (*check) (const ManifestDataset *))
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile problem = NULL;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		check(dataset);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		problem = error->hint ? psprintf("%s (%s)", error->message, error->hint) : error->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return problem;
}

/* the first error of a dataset, or NULL when its definition may be applied */
static char *
dataset_error(const Manifest *manifest, const ManifestDataset *dataset)
{
	char	   *problem;

	for (int i = 0; dataset->definition == NULL && i < manifest->n_problems; i++)
	{
		const ManifestProblem *candidate = &manifest->problems[i];

		if (candidate->severity == MANIFEST_ERROR && candidate->dataset != NULL &&
			strcmp(candidate->dataset, dataset->name) == 0)
			return problem_text(candidate);
	}
	if (dataset->definition == NULL)
		return pstrdup("another entry of the manifest has the same table");
	problem = sql_problem(dataset, check_refresh_sql);
	if (problem != NULL)
		return psprintf("line %d: %s", dataset->refresh_sql_line, problem);
	problem = sql_problem(dataset, check_retention_sql);
	return problem ? psprintf("line %d: %s", dataset->retention_sql_line, problem) : NULL;
}

/* where the result is: after a statement the current context is SPI's, which goes with it */
static void
add_action(Reconciliation *result, const char *dataset, const char *action, const char *detail)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(result));
	ReconcileAction *entry = palloc(sizeof(ReconcileAction));

	entry->dataset = dataset ? pstrdup(dataset) : NULL;
	entry->action = action;
	entry->detail = detail ? pstrdup(detail) : NULL;
	result->actions = lappend(result->actions, entry);
	MemoryContextSwitchTo(old);
}

/* runs a statement about one dataset: $1 its name, $2 another text */
static void
run_with_text(const char *command, const char *name, const char *text)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name), text ? CStringGetTextDatum(text) : (Datum) 0};
	const char	nulls[] = {' ', text ? ' ' : 'n', '\0'};

	catalog_execute(command, 2, types, values, nulls);
}

static KnownDataset
look_up(const ManifestDataset *dataset)
{
	KnownDataset known = {0};

	run_with_text("SELECT d.definition IS NOT DISTINCT FROM $2::jsonb, d.in_manifest,"
				  " d.manifest_error IS NOT NULL FROM spice_catalog.dataset d WHERE d.name = $1",
				  dataset->name, dataset->definition);
	if (SPI_processed > 0)
	{
		known.exists = true;
		known.same = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)[0] == 't';
		known.in_manifest = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)[0] == 't';
		known.had_error = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3)[0] == 't';
	}
	return known;
}

/* Returns false if another session has locked the dataset's row and the caller does not wait. */
static bool
lock_dataset(Reconciliation *result, const char *name, bool wait)
{
	run_with_text(wait ? "SELECT 1 FROM spice_catalog.dataset WHERE name = $1 FOR NO KEY UPDATE" :
				  "SELECT 1 FROM spice_catalog.dataset WHERE name = $1 FOR NO KEY UPDATE SKIP LOCKED", name, NULL);
	if (SPI_processed > 0)
		return true;
	result->incomplete = true;
	add_action(result, name, "locked", NULL);
	return false;
}

static void
refuse_dataset(Reconciliation *result, const ManifestDataset *dataset, char *error, bool wait)
{
	if (look_up(dataset).exists && !lock_dataset(result, dataset->name, wait))
		return;
	run_with_text("INSERT INTO spice_catalog.dataset AS d (name, manifest_error) VALUES ($1, $2)"
				  " ON CONFLICT (name) DO UPDATE SET manifest_error = excluded.manifest_error,"
				  " in_manifest = true", dataset->name, error);
	add_action(result, dataset->name, "error", error);
}

static void
apply_dataset(Reconciliation *result, const ManifestDataset *dataset, bool wait)
{
	KnownDataset known = look_up(dataset);

	/*
	 * Refreshes run side by side and would create the schema twice; only one session applies a
	 * manifest.
	 */
	catalog_ensure_schema(dataset->schema, catalog_table_owner());

	if (!known.exists)
	{
		run_with_text("INSERT INTO spice_catalog.dataset (name, definition, next_refresh, next_retention)"
					  " VALUES ($1, $2::jsonb, clock_timestamp(), " NEXT_RETENTION ")",
					  dataset->name, dataset->definition);
		add_action(result, dataset->name, "added", NULL);
		return;
	}
	if ((!known.same || !known.in_manifest || known.had_error) &&
		!lock_dataset(result, dataset->name, wait))
		return;
	if (known.same && known.in_manifest)
	{
		if (known.had_error)
			run_with_text("UPDATE spice_catalog.dataset SET manifest_error = $2 WHERE name = $1",
						  dataset->name, NULL);
		add_action(result, dataset->name, "unchanged", NULL);
		return;
	}
	run_with_text("UPDATE spice_catalog.dataset SET definition = $2::jsonb, manifest_error = NULL,"
				  " in_manifest = true, attempt = 0, next_refresh = clock_timestamp(),"
				  " next_retention = " NEXT_RETENTION " WHERE name = $1",
				  dataset->name, dataset->definition);
	add_action(result, dataset->name, known.in_manifest ? "changed" : "added", NULL);
}

/* datasets that have left keep their tables and stop being refreshed */
static void
retire_datasets(Reconciliation *result, const Manifest *manifest, bool wait, MemoryContext context)
{
	Oid			types[] = {TEXTARRAYOID};
	Datum	   *names = palloc(sizeof(Datum) * (manifest->n_datasets + 1));
	Datum		values[1];
	uint64		leaving;

	for (int i = 0; i < manifest->n_datasets; i++)
		names[i] = CStringGetTextDatum(manifest->datasets[i].name);
	values[0] = PointerGetDatum(construct_array(names, manifest->n_datasets, TEXTOID, -1, false,
												TYPALIGN_INT));
	catalog_execute(wait ? "SELECT 1 FROM spice_catalog.dataset d WHERE d.in_manifest AND d.name <> ALL ($1) FOR NO KEY UPDATE" :
					"SELECT 1 FROM spice_catalog.dataset d WHERE d.in_manifest AND d.name <> ALL ($1)", 1, types, values, NULL);
	leaving = SPI_processed;
	catalog_execute("SELECT name, has_table FROM spice_catalog.retire_datasets($1)", 1, types, values, NULL);
	result->incomplete |= SPI_processed < leaving;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *name = catalog_text(row, 1, context);
		bool		table = catalog_text(row, 2, context)[0] == 't';
		MemoryContext old = MemoryContextSwitchTo(context);

		add_action(result, name, "removed", !table ? NULL :
				   psprintf("its table is kept and no longer refreshed; spice_drop('%s') drops it", name));
		MemoryContextSwitchTo(old);
	}
	/* nothing was ever made of these */
	catalog_execute("DELETE FROM spice_catalog.dataset d WHERE NOT d.in_manifest AND d.definition IS NULL",
					0, NULL, NULL, NULL);
}

static void
record_manifest(const char *path, const Manifest *manifest, const char *error)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3] = {CStringGetTextDatum(path)};
	char		nulls[] = {' ', ' ', ' ', '\0'};

	if (error != NULL)
	{
		values[1] = CStringGetTextDatum(error);
		catalog_execute("INSERT INTO spice.manifest AS m (path, error, error_at)"
						" VALUES ($1, $2, clock_timestamp()) ON CONFLICT (singleton) DO UPDATE"
						" SET error = excluded.error, error_at = excluded.error_at",
						2, types, values, nulls);
		return;
	}
	values[1] = CStringGetTextDatum(manifest->name);
	if (manifest->secrets != NULL)
		values[2] = CStringGetTextDatum(manifest->secrets);
	else
		nulls[2] = 'n';
	catalog_execute("INSERT INTO spice.manifest AS m (path, name, secrets, loaded)"
					" VALUES ($1, $2, $3::jsonb, clock_timestamp()) ON CONFLICT (singleton) DO UPDATE"
					" SET path = excluded.path, name = excluded.name, secrets = excluded.secrets,"
					" loaded = excluded.loaded, error = NULL, error_at = NULL",
					3, types, values, nulls);
}

/* the manifest's own faults, when it is refused as a whole */
static char *
broken_text(const char *path, const Manifest *manifest)
{
	for (int i = 0; i < manifest->n_problems; i++)
	{
		if (manifest->problems[i].severity == MANIFEST_ERROR)
			return psprintf("manifest \"%s\" is refused: %s", path, problem_text(&manifest->problems[i]));
	}
	return psprintf("manifest \"%s\" is refused", path);
}

/* datasets that go by pg_cron, when there is none, say so */
static void
apply_cron(Reconciliation *result, MemoryContext context)
{
	List	   *datasets = NIL;
	char	   *problem = cron_reconcile(&datasets, context);
	ListCell   *cell;

	foreach(cell, problem ? datasets : NIL)
	{
		run_with_text("UPDATE spice_catalog.dataset SET manifest_error = $2 WHERE name = $1",
					  lfirst(cell), problem);
		add_action(result, lfirst(cell), "error", problem);
	}
}

/* The warnings of a dataset's entry, or NULL. */
static char *
warnings_text(const Manifest *manifest, const char *dataset)
{
	char	   *text = NULL;

	for (int i = 0; i < manifest->n_problems; i++)
	{
		const ManifestProblem *problem = &manifest->problems[i];

		if (problem->severity == MANIFEST_WARNING && problem->dataset != NULL && strcmp(problem->dataset, dataset) == 0)
			text = text == NULL ? problem_text(problem) : psprintf("%s; %s", text, problem_text(problem));
	}
	return text;
}

/* A row that another session has locked is being refreshed, and gets its warnings later. */
static void
record_warnings(const Manifest *manifest)
{
	for (int i = 0; i < manifest->n_datasets; i++)
	{
		const char *name = manifest->datasets[i].name;

		run_with_text("UPDATE spice_catalog.dataset d SET manifest_warnings = $2"
					  " WHERE d.id = (SELECT e.id FROM spice_catalog.dataset e WHERE e.name = $1"
					  " AND e.manifest_warnings IS DISTINCT FROM $2 FOR NO KEY UPDATE SKIP LOCKED)",
					  name, warnings_text(manifest, name));
	}
}

static void
apply_manifest(Reconciliation *result, const Manifest *manifest, const char *path,
			   bool wait, MemoryContext context)
{
	catalog_ensure_usage(catalog_table_owner());
	for (int i = 0; i < manifest->n_datasets; i++)
	{
		const ManifestDataset *dataset = &manifest->datasets[i];
		MemoryContext old = MemoryContextSwitchTo(context);
		char	   *error = dataset_error(manifest, dataset);

		if (error != NULL)
			refuse_dataset(result, dataset, error, wait);
		else
			apply_dataset(result, dataset, wait);
		MemoryContextSwitchTo(old);
	}
	retire_datasets(result, manifest, wait, context);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < manifest->n_problems; i++)
	{
		const ManifestProblem *problem = &manifest->problems[i];

		if (problem->severity == MANIFEST_WARNING)
			add_action(result, problem->dataset, "warning", problem_text(problem));
		else if (problem->dataset == NULL)
			add_action(result, NULL, "error", problem_text(problem));
	}
	record_warnings(manifest);
	apply_cron(result, context);
	record_manifest(path, manifest, NULL);
}

/*
 * One at a time, from the reading of the file to the end of the transaction:
 * two would both add what neither sees of the other, and the one that read an
 * older file might be the last to write.  False: another is at it.
 */
static bool
lock_manifest(bool wait)
{
	Oid			relation = get_relname_relid("manifest", get_namespace_oid("spice", false));

	if (!wait)
		return ConditionalLockRelationOid(relation, ShareUpdateExclusiveLock);
	LockRelationOid(relation, ShareUpdateExclusiveLock);
	return true;
}

Reconciliation *
reconcile_manifest(bool wait)
{
	MemoryContext context = CurrentMemoryContext;
	Reconciliation *result = palloc0(sizeof(Reconciliation));
	char	   *path = manifest_path();
	size_t		length = 0;
	char	   *text;
	Manifest   *manifest = NULL;
	CatalogRights rights;

	catalog_enter(&rights);
	if (!lock_manifest(wait))
	{
		catalog_leave(&rights);
		result->incomplete = true;
		return result;
	}
	text = read_manifest(path, &length, &result->error);
	result->unread = text == NULL;
	if (text != NULL)
	{
		manifest = parse(text, length);
		if (manifest->broken)
			result->error = broken_text(path, manifest);
	}
	SPI_connect();
	if (result->error != NULL)
		record_manifest(path, NULL, result->error);
	else
		apply_manifest(result, manifest, path, wait, context);
	SPI_finish();
	catalog_leave(&rights);
	MemoryContextSwitchTo(context);
	return result;
}

static ValidationProblem *
make_problem(int line, const char *dataset, const char *severity, char *message)
{
	ValidationProblem *problem = palloc(sizeof(ValidationProblem));

	problem->line = line;
	problem->dataset = dataset ? pstrdup(dataset) : NULL;
	problem->severity = severity;
	problem->message = message;
	return problem;
}

List *
validate_manifest(const char *text, size_t length)
{
	Manifest   *manifest = parse(text, length);
	List	   *problems = NIL;

	for (int i = 0; i < manifest->n_problems; i++)
	{
		const ManifestProblem *problem = &manifest->problems[i];

		problems = lappend(problems,
						   make_problem(problem->line, problem->dataset,
										problem->severity == MANIFEST_ERROR ? "error" : "warning",
										problem->hint ? psprintf("%s (%s)", problem->message, problem->hint) :
										pstrdup(problem->message)));
	}
	for (int i = 0; i < manifest->n_datasets; i++)
	{
		const ManifestDataset *dataset = &manifest->datasets[i];
		char	   *problem;

		if (dataset->definition == NULL)
			continue;
		problem = sql_problem(dataset, check_refresh_sql);
		if (problem != NULL)
			problems = lappend(problems, make_problem(dataset->refresh_sql_line, dataset->name,
													  "error", problem));
		problem = sql_problem(dataset, check_retention_sql);
		if (problem != NULL)
			problems = lappend(problems, make_problem(dataset->retention_sql_line, dataset->name,
													  "error", problem));
	}
	return problems;
}

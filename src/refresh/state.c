/*-------------------------------------------------------------------------
 *
 * state.c
 *		The state of a dataset: its row of spice_catalog.dataset.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "catalog/execute.h"
#include "refresh/schedule.h"
#include "refresh/state.h"
#include "secret/redact.h"

/* marks an error of retention, which only a retention clears */
#define RETENTION_ERROR "retention: "

/*
 * A definition that has been replaced during the refresh is due, and stays so.
 * $1 is the dataset, $2 the definition that the refresh had.
 */
#define MOVED(clock, ms) \
	clock " = CASE WHEN definition::text <> $2 THEN " clock \
	" WHEN " ms " > 0 AND in_manifest THEN clock_timestamp() + " ms " * interval '1 ms' END"

/* names find the relations in a database that was restored or copied */
#define NOTE_RELATIONS(relation, source) \
	" home = (SELECT h.home FROM spice_catalog.home h), relation = " relation ", relation_name = " relation "::text," \
	" source_relation = " source ", source_relation_name = " source "::text,"

/* value NULL: null */
static void
add_bytes(CatalogArguments *arguments, const uint8 *value, Size length)
{
	bytea	   *bytes = palloc0(VARHDRSZ + length);

	SET_VARSIZE(bytes, VARHDRSZ + length);
	if (value != NULL)
		memcpy(VARDATA(bytes), value, length);
	catalog_add(arguments, BYTEAOID, PointerGetDatum(bytes), value == NULL);
}

/* etag, last_modified and request: nothing of a response that has no validators */
static void
add_validators(CatalogArguments *arguments, const HttpResponse *response)
{
	const char *etag = response != NULL ? response->etag : NULL;
	const char *last_modified = response != NULL ? response->last_modified : NULL;

	catalog_add_text(arguments, etag);
	catalog_add_text(arguments, last_modified);
	add_bytes(arguments, etag != NULL || last_modified != NULL ? response->identity : NULL, HTTP_IDENTITY_LENGTH);
}

/* $1 and $2 */
static void
add_dataset(CatalogArguments *arguments, const Dataset *dataset)
{
	catalog_add_int(arguments, dataset->id);
	catalog_add_text(arguments, dataset->definition);
}

/* rows the table has when the refresh is over */
static int64
table_rows(const Refresh *refresh)
{
	if (strcmp(refresh->outcome, OUTCOME_APPENDED) == 0)
		return refresh->dataset->rows + refresh->counts.inserted;
	if (strcmp(refresh->outcome, OUTCOME_MERGED) == 0)
		return refresh->rows + refresh->counts.unchanged;
	return refresh->rows;
}

/* Without the dataset's row, which may have been dropped, the table would have no owner. */
static void
update_tables(const Dataset *dataset, const char *command, CatalogArguments *arguments)
{
	if (catalog_query(command, arguments)->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("dataset \"%s\" was dropped during the refresh", dataset->name)));
}

/* validators are kept only if the same bytes would give the same rows */
void
state_loaded(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	const HttpResponse *response = refresh->response;
	bool		keep = refresh->repeatable && response != NULL && response->spool != NULL;
	CatalogArguments arguments = {0};

	add_dataset(&arguments, dataset);
	catalog_add(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->relation), !OidIsValid(dataset->relation));
	catalog_add(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->source_relation),
				!OidIsValid(dataset->source_relation));
	/* rows that come and go without a refresh cannot be found missing */
	catalog_add(&arguments, INT8OID, Int64GetDatum(table_rows(refresh)),
				!dataset->accelerated || dataset_follows(dataset));
	add_validators(&arguments, keep ? response : NULL);
	add_bytes(&arguments, keep ? spool_digest(response->spool) : NULL, SPOOL_DIGEST_LENGTH);
	/* what was rebuilt from its own rows has yet to hear of its source */
	catalog_add_int(&arguments, refresh->rebuild ? 1 : schedule_next_delay(dataset));
	catalog_add_text(&arguments, refresh->outcome);
	catalog_add_text(&arguments, keep ? refresh->source_query : NULL);
	catalog_add_text(&arguments, refresh->watermark ? refresh->watermark->newest : NULL);
	catalog_add_text(&arguments, redact_text(refresh->warning));
	update_tables(dataset, "UPDATE spice_catalog.dataset SET applied = $2::jsonb, source_applied = $2::jsonb,"
				  NOTE_RELATIONS("$3", "$4")
				  " loaded = clock_timestamp(),"
				  " checked = clock_timestamp(), rows = $5, etag = $6, last_modified = $7, request = $8, digest = $9,"
				  " failures = 0, attempt = 0, last_error = NULL, last_outcome = $11,"
				  " fetched_query = $12, watermark = $13, load_warning = $14, " MOVED("next_refresh", "$10")
				  " WHERE id = $1 RETURNING id", &arguments);
}

void
state_registered(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	CatalogArguments arguments = {0};

	add_dataset(&arguments, dataset);
	catalog_add(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->relation), false);
	catalog_add(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->source_relation), false);
	update_tables(dataset, "UPDATE spice_catalog.dataset SET " NOTE_RELATIONS("$3", "$4") " source_applied = $2::jsonb"
				  " WHERE id = $1 RETURNING id", &arguments);
}

void
state_checked(const Refresh *refresh)
{
	bool		same_bytes = strcmp(refresh->outcome, OUTCOME_UNCHANGED) == 0 &&
	refresh->response != NULL && refresh->response->spool != NULL;
	CatalogArguments arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	catalog_add_int(&arguments, schedule_next_delay(refresh->dataset));
	catalog_add_text(&arguments, refresh->outcome);
	catalog_add_bool(&arguments, !refresh->dataset->changed);
	/* validators that came with the very bytes that were loaded: no need of bytes next time */
	add_validators(&arguments, same_bytes ? refresh->response : NULL);
	catalog_add_bool(&arguments, same_bytes);
	(void) catalog_query("UPDATE spice_catalog.dataset SET etag = CASE WHEN $9 THEN $6 ELSE etag END,"
						 " last_modified = CASE WHEN $9 THEN $7 ELSE last_modified END,"
						 " request = CASE WHEN $9 THEN $8 ELSE request END,"
						 " applied = CASE WHEN $5 THEN $2::jsonb ELSE applied END, checked = clock_timestamp(), failures = 0, attempt = 0,"
						 " last_error = NULL, last_outcome = $4, " MOVED("next_refresh", "$3")
						 " WHERE id = $1 AND definition::text = $2", &arguments);
}

void
state_troubled(const Refresh *refresh, const char *trouble)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, refresh->dataset->id);
	catalog_add_text(&arguments, trouble);
	(void) catalog_query("UPDATE spice_catalog.dataset SET last_error = $2 WHERE id = $1", &arguments);
}

void
state_failed(const Refresh *refresh, const char *error, int64 delay_ms, bool retry)
{
	CatalogArguments arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	catalog_add_text(&arguments, redact_text(error));
	catalog_add_int(&arguments, delay_ms);
	catalog_add_int(&arguments, retry ? refresh->dataset->attempt + 1 : 0);
	(void) catalog_query("UPDATE spice_catalog.dataset SET failures = failures + 1, attempt = $5, last_error = $3,"
						 " last_outcome = '" OUTCOME_FAILED "', " MOVED("next_refresh", "$4")
						 " WHERE id = $1 AND definition::text = $2", &arguments);
}

void
state_retained(const Refresh *refresh)
{
	CatalogArguments arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	catalog_add_int(&arguments, refresh->counts.deleted);
	catalog_add_int(&arguments, refresh->dataset->retention_check_interval_ms);
	(void) catalog_query("UPDATE spice_catalog.dataset SET rows = greatest(rows - $3, 0),"
						 " last_error = CASE WHEN last_error NOT LIKE '" RETENTION_ERROR "%' THEN last_error END, "
						 MOVED("next_retention", "$4") " WHERE id = $1", &arguments);
}

/* a retention that failed is tried again when it is due again */
void
state_retention_failed(const Refresh *refresh, const char *error)
{
	CatalogArguments arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	catalog_add_int(&arguments, refresh->dataset->retention_check_interval_ms);
	catalog_add_text(&arguments, psprintf(RETENTION_ERROR "%s", error));
	(void) catalog_query("UPDATE spice_catalog.dataset SET last_error = $4, " MOVED("next_retention", "$3")
						 " WHERE id = $1 AND definition::text = $2", &arguments);
}

/*-------------------------------------------------------------------------
 *
 * dataset_row.c
 *		Reads rows of spice_catalog.dataset.
 *
 * A refresh works from the catalog and not from the file, so that a broken
 * manifest, or one that changes during the refresh, changes nothing about it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/jsonb.h"

#include "catalog/dataset_row.h"
#include "catalog/definition_read.h"
#include "catalog/execute.h"

static bytea *
get_bytes(const CatalogRows *rows, const char *column)
{
	bool		isnull;
	Datum		value = catalog_get(rows, 0, column, &isnull);

	return isnull ? NULL : DatumGetByteaPCopy(value);
}

/* the dataset of a row of spice_catalog.dataset_state; NULL when there is none */
static Dataset *
read_dataset(const CatalogRows *state)
{
	Dataset    *dataset = palloc0(sizeof(Dataset));
	JsonbContainer *definition;
	JsonbContainer *applied;

	if (state->n == 0)
		return NULL;
	dataset->id = (int) catalog_get_int(state, 0, "id", 0);
	dataset->name = catalog_get_text(state, 0, "name");
	dataset->definition = catalog_get_text(state, 0, "definition");
	definition = definition_read_text(dataset->definition);
	definition_read(dataset, definition);
	applied = definition_read_text(catalog_get_text(state, 0, "applied"));
	dataset->applied_columns = definition_read_columns(applied);
	dataset->applied_indexes = definition_read_indexes(applied);
	dataset->source_changed =
		definition_differs(definition_read_text(catalog_get_text(state, 0, "source_applied")),
						   definition, KEY_SOURCE);
	dataset->reload = definition_differs(applied, definition, KEY_SOURCE | KEY_ROWS);
	dataset->changed = definition_differs(applied, definition, KEY_SOURCE | KEY_ROWS | KEY_TABLE);
	dataset->in_manifest = catalog_get_bool(state, 0, "in_manifest");
	dataset->paused = catalog_get_bool(state, 0, "paused");
	dataset->described = catalog_get_bool(state, 0, "described");
	dataset->same_rows = applied != NULL &&
		!definition_differs(applied, definition, KEY_SOURCE | KEY_ROWS | KEY_TABLE | KEY_REFRESH);
	dataset->relation = catalog_get_oid(state, 0, "relation");
	dataset->source_relation = catalog_get_oid(state, 0, "source_relation");
	dataset->moved = catalog_get_bool(state, 0, "moved");
	dataset->loaded = catalog_get_bool(state, 0, "loaded");
	dataset->rows = catalog_get_int(state, 0, "rows", 0);
	dataset->etag = catalog_get_text(state, 0, "etag");
	dataset->last_modified = catalog_get_text(state, 0, "last_modified");
	dataset->request = get_bytes(state, "request");
	dataset->digest = get_bytes(state, "digest");
	dataset->watermark = catalog_get_text(state, 0, "watermark");
	dataset->attempt = (int) catalog_get_int(state, 0, "attempt", 0);
	dataset->fetched_query = catalog_get_text(state, 0, "fetched_query");
	dataset->troubled = catalog_get_bool(state, 0, "troubled");
	dataset->has_slot = catalog_get_bool(state, 0, "has_slot");
	dataset->secrets = catalog_get_text(state, 0, "secrets");
	dataset->manifest_path = catalog_get_text(state, 0, "manifest_path");
	return dataset;
}

Dataset *
catalog_dataset_by_id(int id)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, id);
	return read_dataset(catalog_query("SELECT * FROM spice_catalog.dataset_state WHERE id = $1", &arguments));
}

Dataset *
catalog_dataset_of(int id, const char *definition)
{
	JsonbContainer *keys = definition_read_text(definition);
	Dataset    *dataset = palloc0(sizeof(Dataset));
	CatalogRows *state;

	state = catalog_query("SELECT m.secrets::text AS secrets, m.path AS manifest_path"
						  " FROM (VALUES (true)) v LEFT JOIN spice.manifest m ON true", NULL);
	dataset->id = id;
	dataset->definition = pstrdup(definition);
	dataset->name = definition_read_key(keys, "name");
	definition_read(dataset, keys);
	dataset->secrets = catalog_get_text(state, 0, "secrets");
	dataset->manifest_path = catalog_get_text(state, 0, "manifest_path");
	return dataset;
}

bool
catalog_dataset_again(Dataset *dataset)
{
	CatalogArguments arguments = {0};
	CatalogRows *rows;

	catalog_add_int(&arguments, dataset->id);
	catalog_add_text(&arguments, dataset->definition);
	rows = catalog_query("SELECT relation, source_relation FROM spice_catalog.dataset_state"
						 " WHERE id = $1 AND definition = $2", &arguments);
	if (rows->n == 0)
		return false;
	dataset->relation = catalog_get_oid(rows, 0, "relation");
	dataset->source_relation = catalog_get_oid(rows, 0, "source_relation");
	return true;
}

pg_noreturn static void
refuse_missing_dataset(const char *name)
{
	CatalogArguments arguments = {0};
	CatalogRows *rows;
	char	   *reason;

	catalog_add_text(&arguments, name);
	rows = catalog_query("SELECT manifest_error FROM spice_catalog.dataset WHERE name = $1", &arguments);
	reason = rows->n > 0 ? catalog_get_text(rows, 0, "manifest_error") : NULL;
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("dataset \"%s\" has no valid definition", name),
				 errdetail("%s", reason),
				 errhint("Correct the manifest and run spice_reload().")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("dataset \"%s\" does not exist", name),
			 errhint("SELECT dataset FROM spice.datasets lists them; spice_reload() reads the manifest again.")));
}

/* the name itself before any other spelling of it */
Dataset *
catalog_dataset_by_name(const char *name, bool must_exist)
{
	CatalogArguments arguments = {0};
	Dataset    *dataset;

	catalog_add_text(&arguments, name);
	dataset = read_dataset(catalog_query("SELECT * FROM spice_catalog.dataset_state"
										 " WHERE $1 IN (name, \"table\", schema || '.' || \"table\")"
										 " ORDER BY name = $1 DESC, schema = 'public' DESC LIMIT 1",
										 &arguments));
	if (dataset == NULL && must_exist)
		refuse_missing_dataset(name);
	return dataset;
}

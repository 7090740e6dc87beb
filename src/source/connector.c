/*-------------------------------------------------------------------------
 *
 * connector.c
 *		The kinds of sources, and what is the same to all of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "catalog/dataset_row.h"
#include "catalog/execute.h"
#include "catalog/rights.h"
#include "source/connector.h"
#include "source/passfile.h"
#include "source/source.h"

static const Connector *const connectors[] = {
	&http_connector, &postgres_connector, &mysql_connector, &table_connector
};

const Connector *
connector_of(const Dataset *dataset)
{
	for (size_t i = 0; i < lengthof(connectors); i++)
	{
		if (strcmp(connectors[i]->name, dataset->connector) == 0)
			return connectors[i];
	}
	elog(ERROR, "unknown connector \"%s\"", dataset->connector);
}

char *
connector_name(const Dataset *dataset, const char *prefix)
{
	bool		public = strcmp(dataset->schema, "public") == 0;
	char	   *name = psprintf("%s%s%s%s", prefix, public ? "" : dataset->schema, public ? "" : ".", dataset->table);
	int			room = NAMEDATALEN - 1 - (int) strlen(prefix) - (int) strlen("..-2147483648");

	/* one that is cut, or whose dot might be another's, would not tell two datasets apart */
	if (strlen(name) < NAMEDATALEN && strchr(dataset->table, '.') == NULL &&
		(public || strchr(dataset->schema, '.') == NULL))
		return name;
	return psprintf("%s.%.*s.%d", prefix, pg_mbcliplen(dataset->table, (int) strlen(dataset->table), room),
					dataset->table, dataset->id);
}

bool
source_fetches(const Dataset *dataset)
{
	return connector_of(dataset)->fetches;
}

void
refuse_missing_relation(const Dataset *dataset)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the source of dataset \"%s\" has no relation %s", dataset->name,
					dataset->remote_schema == NULL ? quote_identifier(dataset->remote_table) :
					quote_qualified_identifier(dataset->remote_schema, dataset->remote_table)),
			 errhint("Correct from: names fold to lower case unless they stand in double quotes.")));
}

/* a dataset that has come from somewhere else before */
void
connector_forget_others(const Dataset *dataset)
{
	if (connector_of(dataset)->setup == NULL)
		source_forget(dataset);
}

void
source_forget(const Dataset *dataset)
{
	foreign_server_drop(dataset);
	local_types_drop(dataset);
	passfile_remove(dataset->id);
}

void
source_leave(const char *dataset)
{
	Dataset    *left = catalog_dataset_by_name(dataset, false);

	if (left != NULL)
		passfile_remove(left->id);
}

/* in a transaction when there is an extension, whose datasets are asked for */
void
source_sweep(bool extension)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *datasets = NIL;
	CatalogRights rights;

	if (extension)
	{
		catalog_enter(&rights);
		SPI_connect();
		catalog_execute("SELECT d.id FROM spice.dataset d WHERE d.in_manifest", 0, NULL, NULL, NULL);
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			char	   *id = catalog_text(row, 1, context);
			MemoryContext old = MemoryContextSwitchTo(context);

			datasets = lappend_int(datasets, atoi(id));
			MemoryContextSwitchTo(old);
		}
		SPI_finish();
		catalog_leave(&rights);
	}
	passfile_sweep(datasets);
}

void
source_finish(const Dataset *dataset)
{
	const Connector *connector = connector_of(dataset);

	if (connector->finish != NULL)
		connector->finish();
}

/* has the source's server raised it? */
static bool
is_from_source(const Dataset *dataset, const ErrorData *error)
{
	if (source_fetches(dataset))
		return false;
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_CONNECTION_EXCEPTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_FDW_ERROR ||
		(error->context != NULL && strstr(error->context, "remote SQL command") != NULL);
}

const char *
source_cure(const Dataset *dataset, const ErrorData *error)
{
	const Connector *connector = connector_of(dataset);

	if (connector->cure == NULL || !is_from_source(dataset, error))
		return NULL;
	return connector->cure(error);
}

bool
source_error_is_transient(const Dataset *dataset, const ErrorData *error)
{
	if (!is_from_source(dataset, error))
		return false;
	switch (error->sqlerrcode)
	{
		case ERRCODE_ADMIN_SHUTDOWN:
		case ERRCODE_CRASH_SHUTDOWN:
		case ERRCODE_CANNOT_CONNECT_NOW:
		case ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT:
		case ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION:
			return true;
		default:
			return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_CONNECTION_EXCEPTION;
	}
}

SourceColumn *
source_column(List *columns, const char *name)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

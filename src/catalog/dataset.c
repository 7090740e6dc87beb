/*-------------------------------------------------------------------------
 *
 * dataset.c
 *		Values of a dataset that code asks for by name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/dataset.h"
#include "catalog/definition_read.h"

bool
catalog_names_have(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

char *
catalog_param(const Dataset *dataset, const char *name)
{
	return definition_read_key(dataset->params, name);
}

SchemaChange
dataset_schema_change(const Dataset *dataset)
{
	if (strcmp(dataset->on_schema_change, "block") == 0)
		return SCHEMA_BLOCK;
	if (strcmp(dataset->on_schema_change, "fail") == 0)
		return SCHEMA_FAIL;
	return strcmp(dataset->on_schema_change, "append_new_columns") == 0 ? SCHEMA_APPEND : SCHEMA_SYNC;
}

RefreshMethod
dataset_refresh_method(const Dataset *dataset)
{
	if (dataset->refresh_method == NULL)
		return METHOD_FITTING;
	return strcmp(dataset->refresh_method, "merge") == 0 ? METHOD_MERGE : METHOD_SWAP;
}

DatasetColumn *
dataset_find_column(List *columns, const char *name)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		DatasetColumn *column = lfirst(cell);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/*-------------------------------------------------------------------------
 *
 * dataset.c
 *		What is found in a dataset by its name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/dataset.h"

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
	ListCell   *cell;

	foreach(cell, dataset->params)
	{
		DatasetParam *param = lfirst(cell);

		if (strcmp(param->name, name) == 0)
			return param->value;
	}
	return NULL;
}

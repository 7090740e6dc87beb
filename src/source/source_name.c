/*-------------------------------------------------------------------------
 *
 * source_name.c
 *		Names of the objects that belong to a dataset, and of its source.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "source/source_name.h"

char *
source_name(const Dataset *dataset, const char *prefix)
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

void
source_refuse_missing_relation(const Dataset *dataset)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the source of dataset \"%s\" has no relation %s", dataset->name,
					dataset->remote_schema == NULL ? quote_identifier(dataset->remote_table) :
					quote_qualified_identifier(dataset->remote_schema, dataset->remote_table)),
			 errhint("Correct from: names fold to lower case unless they stand in double quotes.")));
}

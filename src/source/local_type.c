/*-------------------------------------------------------------------------
 *
 * local_type.c
 *		Types of columns on which no condition is to be sent to the source.
 *
 * A wrapper sends what it knows of the types of its foreign table's columns.
 * Where the source has another type, the same condition fails there or, worse,
 * means something else: an enum that is read as text is compared by the order
 * of its labels over there.  A wrapper never sends a condition on a type that
 * is not the server's own.  A domain over the type is not, and is the type in
 * every other respect; the accelerated table gets the type itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "source/local_type.h"

static Oid
find_type(const char *name)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
						   ObjectIdGetDatum(get_namespace_oid(SPICE_SOURCE_SCHEMA, false)));
}

/* two that the extension brings serve most; others are the dataset's own */
static char *
type_name(const Dataset *dataset, Oid type, int32 typmod)
{
	char	   *text = psprintf("local %s", format_type_with_typemod(type, typmod));

	if (type == TEXTOID || type == TEXTARRAYOID)
		return text;
	text = psprintf("%s of %d", text, dataset->id);
	return strlen(text) < NAMEDATALEN ? text : psprintf("local %u %d of %d", type, typmod, dataset->id);
}

Oid
local_type_ensure(const Dataset *dataset, Oid type, int32 typmod)
{
	char	   *name = type_name(dataset, type, typmod);
	char	   *quoted = quote_qualified_identifier(SPICE_SOURCE_SCHEMA, name);

	if (!OidIsValid(find_type(name)))
	{
		catalog_run(psprintf("CREATE DOMAIN %s AS %s", quoted,
							 format_type_extended(type, typmod,
												  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY)));
		catalog_run(psprintf("COMMENT ON DOMAIN %s IS 'conditions on it are evaluated here, not by the source'",
							 quoted));
		CommandCounterIncrement();
	}
	return find_type(name);
}

/* one that a person has given to a column of a table stays: it is no more than the type beneath */
void
local_type_drop_all(const Dataset *dataset)
{
	CatalogArguments arguments = {0};
	List	   *names;
	ListCell   *cell;

	catalog_add_int(&arguments, dataset->id);
	names = catalog_get_texts(catalog_query("SELECT type_name FROM spice_catalog.unused_local_type WHERE dataset = $1",
											&arguments), "type_name");
	foreach(cell, names)
		catalog_run(psprintf("DROP DOMAIN %s", quote_qualified_identifier(SPICE_SOURCE_SCHEMA, lfirst(cell))));
}

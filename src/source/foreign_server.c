/*-------------------------------------------------------------------------
 *
 * foreign_server.c
 *		The foreign server of a dataset that comes from a database.
 *
 * Each dataset has a server of its own, which the extension's owner owns, with a
 * user mapping for PUBLIC.  No role is granted USAGE on the server.  So a role can
 * reach the source only by SELECT on the dataset's foreign table: it can create
 * neither foreign tables nor mappings on the server, and cannot point it at another
 * host.  That makes password_required 'false' safe, without which only superusers
 * could connect by a passfile.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_namespace.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "source/foreign_option.h"
#include "source/foreign_server.h"

/* by the id, because others may choose a name; the server's comment names the dataset */
const char *
foreign_server_name(const Dataset *dataset)
{
	return psprintf("spice_%d", dataset->id);
}

/*
 * A server of another role with this name would be a way to the source, and to
 * this database, with the mapping that spice adds to it.
 */
static bool
is_ours(const Dataset *dataset, Oid server)
{
	return GetForeignServer(server)->owner == catalog_owner() &&
		(dataset->moved || catalog_depends_on_extension(ForeignServerRelationId, server));
}

static void
refuse_missing_wrapper(const Dataset *dataset, const char *wrapper, const char *package)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("dataset \"%s\" needs the foreign data wrapper %s", dataset->name, wrapper),
			 errhint("Install it (Debian: %s), and run CREATE EXTENSION %s.", package, wrapper)));
}

void
foreign_server_drop(const Dataset *dataset)
{
	const char *name = foreign_server_name(dataset);
	Oid			oid = get_foreign_server_oid(name, true);

	if (OidIsValid(oid) && is_ours(dataset, oid))
		catalog_run(psprintf("DROP SERVER %s CASCADE", quote_identifier(name)));
}

void
foreign_server_ensure(const Dataset *dataset, const char *wrapper, const char *package,
					  List *options)
{
	const char *name = foreign_server_name(dataset);
	Oid			wrapper_oid = get_foreign_data_wrapper_oid(wrapper, true);
	Oid			oid = get_foreign_server_oid(name, true);
	char	   *changes;

	if (!OidIsValid(wrapper_oid))
		refuse_missing_wrapper(dataset, wrapper, package);
	if (OidIsValid(oid) && !is_ours(dataset, oid))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("foreign server %s already exists and is not spice's", quote_identifier(name)),
				 errdetail("Dataset \"%s\" needs this name.", dataset->name),
				 errhint("Rename the server with ALTER SERVER ... RENAME TO, or drop it.")));
	if (OidIsValid(oid) && GetForeignServer(oid)->fdwid != wrapper_oid)
	{
		catalog_run(psprintf("DROP SERVER %s CASCADE", quote_identifier(name)));
		oid = InvalidOid;
	}
	if (OidIsValid(oid))
	{
		changes = foreign_option_changes(GetForeignServer(oid)->options, options);
		if (changes != NULL)
			catalog_run(psprintf("ALTER SERVER %s %s", quote_identifier(name), changes));
		catalog_depend_on_extension(ForeignServerRelationId, oid);
		return;
	}
	catalog_run(psprintf("CREATE SERVER %s FOREIGN DATA WRAPPER %s %s", quote_identifier(name),
						 quote_identifier(wrapper), foreign_option_clause(options)));
	catalog_run(psprintf("COMMENT ON SERVER %s IS %s", quote_identifier(name),
						 quote_literal_cstr(psprintf("source of dataset %s", dataset->name))));
	CommandCounterIncrement();
	catalog_depend_on_extension(ForeignServerRelationId, get_foreign_server_oid(name, false));
}

/* The mapping is PUBLIC's: a role needs only SELECT on the foreign table. */
void
foreign_server_ensure_mapping(const Dataset *dataset, List *options)
{
	const char *name = foreign_server_name(dataset);
	Oid			server = get_foreign_server_oid(name, false);
	List	   *present = NIL;
	char	   *changes;

	if (!SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
							   ObjectIdGetDatum(server)))
	{
		catalog_run(psprintf("CREATE USER MAPPING FOR PUBLIC SERVER %s %s",
							 quote_identifier(name), foreign_option_clause(options)));
		return;
	}
	present = GetUserMapping(InvalidOid, server)->options;
	changes = foreign_option_changes(present, options);
	if (changes != NULL)
		catalog_run(psprintf("ALTER USER MAPPING FOR PUBLIC SERVER %s %s",
							 quote_identifier(name), changes));
}

/* ------- the source's own catalogs ------- */

/* of a name that no other role can have taken beforehand */
const char *
foreign_server_begin_schema(void)
{
	uint64		random;
	char	   *schema;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	schema = psprintf("spice_remote_" UINT64_FORMAT, random);

	catalog_run(psprintf("CREATE SCHEMA %s", schema));
	return schema;
}

void
foreign_server_add_table(const char *schema, const char *name, const char *columns,
						 const char *server, List *options)
{
	catalog_run(psprintf("CREATE FOREIGN TABLE %s (%s) SERVER %s %s",
						 quote_qualified_identifier(schema, name), columns,
						 quote_identifier(server), foreign_option_clause(options)));
}

void
foreign_server_end_schema(const char *schema)
{
	ObjectAddress object;

	ObjectAddressSet(object, NamespaceRelationId, get_namespace_oid(schema, false));
	performDeletion(&object, DROP_CASCADE, PERFORM_DELETION_INTERNAL | PERFORM_DELETION_QUIETLY);
	CommandCounterIncrement();
}

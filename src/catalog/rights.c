/*-------------------------------------------------------------------------
 *
 * rights.c
 *		The rights with which spice runs SQL: its own on its catalog, the table
 *		owner's on everything that a manifest or that owner has a say in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#include "catalog/extension.h"
#include "catalog/pinned.h"
#include "catalog/rights.h"
#include "settings.h"

Oid
catalog_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACENAME, CStringGetDatum(SPICE_SCHEMA));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("extension spice is not installed in database \"%s\"",
						get_database_name(MyDatabaseId)),
				 errhint("Run CREATE EXTENSION spice.")));
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	extension_check_version();
	return owner;
}

void
catalog_enter(CatalogRights *rights)
{
	Oid			owner;

	(void) catalog_extension();
	owner = catalog_owner();
	GetUserIdAndSecContext(&rights->user, &rights->security);
	SetUserIdAndSecContext(owner, rights->security | SECURITY_LOCAL_USERID_CHANGE);
	rights->guc_level = NewGUCNestLevel();
	catalog_pin_setting("search_path", "pg_catalog, pg_temp");
}

static void
enter_restricted(Oid role, int flags, const char *search_path, CatalogRights *rights)
{
	GetUserIdAndSecContext(&rights->user, &rights->security);
	SetUserIdAndSecContext(role, rights->security | SECURITY_RESTRICTED_OPERATION | flags);
	rights->guc_level = NewGUCNestLevel();
	catalog_pin_settings();
	if (search_path != NULL)
		catalog_pin_setting("search_path", search_path);
}

static char *
dataset_search_path(const Dataset *dataset)
{
	return psprintf("%s%spublic, pg_temp",
					strcmp(dataset->schema, "public") == 0 ? "" : quote_identifier(dataset->schema),
					strcmp(dataset->schema, "public") == 0 ? "" : ", ");
}

void
catalog_enter_as_owner(const Dataset *dataset, CatalogRights *rights)
{
	enter_restricted(catalog_table_owner(), 0, dataset_search_path(dataset), rights);
}

void
catalog_enter_unfiltered(const Dataset *dataset, CatalogRights *rights)
{
	enter_restricted(catalog_table_owner(), SECURITY_NOFORCE_RLS, dataset_search_path(dataset), rights);
}

void
catalog_enter_for_relation(Oid relation, CatalogRights *rights)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	enter_restricted(owner, 0, NULL, rights);
}

void
catalog_leave(const CatalogRights *rights)
{
	AtEOXact_GUC(false, rights->guc_level);
	SetUserIdAndSecContext(rights->user, rights->security);
}

Oid
catalog_table_owner(void)
{
	if (spice_role != NULL && spice_role[0] != '\0')
		return get_role_oid(spice_role, false);
	return catalog_owner();
}

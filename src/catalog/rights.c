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
#include "catalog/pg_namespace.h"
#include "commands/dbcommands.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#include "catalog/extension.h"
#include "catalog/rights.h"
#include "settings.h"

static Oid
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
catalog_pin_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
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

void
catalog_enter_as_owner(const Dataset *dataset, CatalogRights *rights)
{
	StringInfoData path;

	initStringInfo(&path);
	if (strcmp(dataset->schema, "public") != 0)
		appendStringInfo(&path, "%s, ", quote_identifier(dataset->schema));
	appendStringInfoString(&path, "public, pg_temp");
	GetUserIdAndSecContext(&rights->user, &rights->security);
	SetUserIdAndSecContext(catalog_table_owner(),
						   rights->security | SECURITY_RESTRICTED_OPERATION);
	rights->guc_level = NewGUCNestLevel();
	catalog_pin_setting("search_path", path.data);
	/* texts of dates and numbers mean the same in every session, and lose nothing */
	catalog_pin_setting("datestyle", "ISO, MDY");
	catalog_pin_setting("extra_float_digits", "1");
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

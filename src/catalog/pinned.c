/*-------------------------------------------------------------------------
 *
 * pinned.c
 *		Settings that decide which rows a query gives.
 *
 * A worker and a session must load the same rows, also if the session's driver
 * has set a time zone, or if its role may call spice_refresh() and nothing else.
 * So every setting that a user can change, and that changes the meaning of a text,
 * a literal or a function, has one value here.  Settings of a place or a language
 * have the value of the configuration or the database, as in a worker.
 * test/sql/owner.sql lists the settings that are left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "catalog/pinned.h"
#include "compat.h"

typedef struct PinnedSetting
{
	const char *name;
	const char *value;
	bool		configured;		/* value counts only where neither database nor file has one */
} PinnedSetting;

static const PinnedSetting pinned_settings[] = {
	/* first: some of the others are made of identifiers */
	{"quote_all_identifiers", "off", false},
	{"array_nulls", "on", false},
	{"backslash_quote", "safe_encoding", false},
	{"bytea_output", "hex", false},
	{"DateStyle", "ISO, MDY", false},
	{"default_tablespace", "", false},	/* an index stays where it is */
	{"default_text_search_config", "pg_catalog.simple", true},
	{"extra_float_digits", "1", false},
	{"gin_fuzzy_search_limit", "0", false},
	{"IntervalStyle", "postgres", false},
	{"lc_monetary", "C", true},
	{"lc_numeric", "C", true},
	{"lc_time", "C", true},
	{"plpgsql.check_asserts", "on", false},
	{"plpgsql.extra_errors", "none", false},
	{"restrict_nonsystem_relation_kind", "", false},
	{"row_security", "on", false},
	{"standard_conforming_strings", "on", false},
	{"TimeZone", "GMT", true},
	{"timezone_abbreviations", "Default", true},
	{"transform_null_equals", "off", false},
	{"xmlbinary", "base64", false},
	{"xmloption", "content", false},
};

void
catalog_pin_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* the value in an array of "name=value", or NULL */
static char *
find_in_array(Datum array, const char *name)
{
	size_t		length = strlen(name);
	Datum	   *elements;
	int			n_elements;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n_elements);
	for (int i = 0; i < n_elements; i++)
	{
		char	   *entry = TextDatumGetCString(elements[i]);

		if (pg_strncasecmp(entry, name, length) == 0 && entry[length] == '=')
			return entry + length + 1;
	}
	return NULL;
}

/* ALTER DATABASE ... SET; database InvalidOid: ALTER ROLE ALL SET */
static char *
find_database_setting(Oid database, const char *name)
{
	Relation	relation = table_open(DbRoleSettingRelationId, AccessShareLock);
	char	   *value = NULL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(database));
	ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(InvalidOid));
	scan = systable_beginscan(relation, DbRoleSettingDatidRolidIndexId, true, NULL, lengthof(keys), keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		array = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig,
										 RelationGetDescr(relation), &isnull);

		value = isnull ? NULL : find_in_array(array, name);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return value;
}

/* the last value in postgresql.conf and the files behind it, or NULL */
static char *
find_in_files(const char *name)
{
	ConfigVariable *head = NULL;
	ConfigVariable *tail = NULL;
	char	   *value = NULL;

	(void) ParseConfigFile(ConfigFileName, false, NULL, 0, 0, DEBUG3, &head, &tail);
	(void) ParseConfigFile(PG_AUTOCONF_FILENAME, false, NULL, 0, 0, DEBUG3, &head, &tail);
	for (ConfigVariable * item = head; item != NULL; item = item->next)
	{
		if (item->name != NULL && !item->ignore && item->errmsg == NULL &&
			pg_strcasecmp(item->name, name) == 0)
			value = pstrdup(item->value);
	}
	FreeConfigVariables(head);
	return value;
}

/*
 * What the session would have if neither its role nor its client had asked for
 * anything.  The server's files are read only where one of them has.
 */
static const char *
configured_value(const PinnedSetting *setting)
{
	char	   *value;

	if (compat_reset_source(setting->name) <= PGC_S_DATABASE)
	{
		const char *reset = GetConfigOptionResetString(setting->name);

		return reset && reset[0] ? reset : setting->value;
	}
	value = find_database_setting(MyDatabaseId, setting->name);
	if (value == NULL)
		value = find_database_setting(InvalidOid, setting->name);
	if (value == NULL)
		value = find_in_files(setting->name);
	return value ? value : setting->value;
}

void
catalog_pin_settings(void)
{
	for (size_t i = 0; i < lengthof(pinned_settings); i++)
	{
		const PinnedSetting *setting = &pinned_settings[i];
		const char *present = GetConfigOption(setting->name, true, false);
		const char *wanted = setting->configured ? configured_value(setting) : setting->value;

		/* one that this version, or this session, does not have */
		if (present != NULL && strcmp(present, wanted) != 0)
			catalog_pin_setting(setting->name, wanted);
	}
}

/*-------------------------------------------------------------------------
 *
 * extension.c
 *		The extension itself: whether it is there, whether it stays, and
 *		whether its objects are of this library's version.
 *
 * DROP EXTENSION locks the extension and then, one after the other in an order
 * of its own, all that belongs to it.  A refresh locks some of that in another
 * order, and the two could wait for each other.  So each of our transactions
 * locks the extension before anything that belongs to it, shared with each
 * other: DROP EXTENSION waits for those that are under way while it has nothing
 * that they could want, and those that come later find the extension gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "catalog/dataset.h"
#include "catalog/extension.h"
#include "compat.h"

static Oid
find_extension(void)
{
	return OidIsValid(get_namespace_oid(SPICE_SCHEMA, true)) ?
		get_extension_oid("spice", true) : InvalidOid;
}

/* who had to wait for the lock may have waited for its end */
Oid
extension_lock(LOCKMODE lockmode)
{
	Oid			extension = find_extension();

	while (OidIsValid(extension))
	{
		Oid			now;

		LockDatabaseObject(ExtensionRelationId, extension, 0, lockmode);
		now = find_extension();
		if (now == extension)
			break;
		UnlockDatabaseObject(ExtensionRelationId, extension, 0, lockmode);
		extension = now;
	}
	return extension;
}

Oid
catalog_extension(void)
{
	return extension_lock(AccessShareLock);
}

/*
 * Core asks for the lock first and for the rights afterwards: any role could hold
 * up spice, which locks the extension in each of its transactions.
 */
void
extension_check_droppable(void)
{
	Oid			extension = find_extension();

	PreventCommandIfReadOnly("DROP EXTENSION");
	if (OidIsValid(extension) && !compat_owns_extension(extension))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_EXTENSION, "spice");
}

/* the version of the objects in this database, or NULL */
static char *
extension_version(void)
{
	Relation	relation = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("spice"));
	scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(relation), &isnull);

		version = isnull ? NULL : TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return version;
}

bool
extension_version_agrees(int level)
{
	char	   *version = extension_version();
	bool		agrees = version != NULL && strcmp(version, SPICE_VERSION) == 0;

	/* none while the script of CREATE EXTENSION runs */
	if (!agrees && version != NULL && level != 0)
		ereport(level,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension spice in database \"%s\" has version %s, its library %s",
						get_database_name(MyDatabaseId), version, SPICE_VERSION),
				 errhint("Run ALTER EXTENSION spice UPDATE, and restart the server after an upgrade of the package.")));
	return agrees;
}

/*
 * A library works with the objects of its own version.  A process keeps the
 * library it has; one that has found them to agree does not look again.
 */
void
extension_check_version(void)
{
	static bool agreed = false;

	if (!agreed)
		agreed = extension_version_agrees(ERROR);
}

/*-------------------------------------------------------------------------
 *
 * relation.c
 *		Relations and schemas of spice: their names, owners, privileges and
 *		dependencies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "compat.h"

void
catalog_ensure_schema(const char *schema, Oid owner)
{
	if (!OidIsValid(get_namespace_oid(schema, true)))
		catalog_run(psprintf("CREATE SCHEMA %s AUTHORIZATION %s", quote_identifier(schema),
							 quote_identifier(GetUserNameFromId(owner, false))));
}

void
catalog_ensure_owner(Oid relation, Oid owner)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool		same;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	same = ((Form_pg_class) GETSTRUCT(tuple))->relowner == owner;
	ReleaseSysCache(tuple);
	/* of foreign tables and views as well */
	if (!same)
		catalog_run(psprintf("ALTER TABLE %s OWNER TO %s", catalog_relation_name(relation),
							 quote_identifier(GetUserNameFromId(owner, false))));
}

void
catalog_grant_defaults(Oid relation, Oid owner)
{
	Acl		   *acl = get_user_default_acl(OBJECT_TABLE, owner, get_rel_namespace(relation));
	Relation	pg_class;
	HeapTuple	tuple;
	Datum		values[Natts_pg_class] = {0};
	bool		nulls[Natts_pg_class] = {0};
	bool		replaces[Natts_pg_class] = {0};

	CommandCounterIncrement();
	pg_class = table_open(RelationRelationId, RowExclusiveLock);
	tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	values[Anum_pg_class_relacl - 1] = PointerGetDatum(acl);
	nulls[Anum_pg_class_relacl - 1] = acl == NULL;
	replaces[Anum_pg_class_relacl - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(pg_class), values, nulls, replaces);
	CatalogTupleUpdate(pg_class, &tuple->t_self, tuple);
	deleteSharedDependencyRecordsFor(RelationRelationId, relation, 0);
	recordDependencyOnOwner(RelationRelationId, relation, owner);
	recordDependencyOnNewAcl(RelationRelationId, relation, 0, owner, acl);
	table_close(pg_class, RowExclusiveLock);
}

void
catalog_alter(Oid relation, const char *command)
{
	CatalogRights rights;

	catalog_enter_for_relation(relation, &rights);
	catalog_run(command);
	catalog_leave(&rights);
}

char *
catalog_relation_name(Oid relation)
{
	char	   *name = get_rel_name(relation);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("relation with OID %u was dropped during the refresh", relation)));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

const char *
catalog_relation_kind(Oid relation)
{
	switch (get_rel_relkind(relation))
	{
		case RELKIND_FOREIGN_TABLE:
			return "FOREIGN TABLE";
		case RELKIND_VIEW:
			return "VIEW";
		default:
			return "TABLE";
	}
}

bool
catalog_depends_on_extension(Oid catalog, Oid object)
{
	Oid			extension = get_extension_oid("spice", true);
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(pg_depend, DependDependerIndexId, true, NULL, lengthof(keys), keys);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		found = depend->refclassid == ExtensionRelationId && depend->refobjid == extension;
	}
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
	return found;
}

void
catalog_depend_on_extension(Oid catalog, Oid object)
{
	ObjectAddress dependent,
				extension;

	if (catalog_depends_on_extension(catalog, object))
		return;
	ObjectAddressSet(dependent, catalog, object);
	ObjectAddressSet(extension, ExtensionRelationId, get_extension_oid("spice", false));
	recordDependencyOn(&dependent, &extension, DEPENDENCY_NORMAL);
	CommandCounterIncrement();
}

void
catalog_adopt_relations(const Dataset *dataset)
{
	if (OidIsValid(dataset->relation))
		catalog_depend_on_extension(RelationRelationId, dataset->relation);
	if (OidIsValid(dataset->source_relation))
		catalog_depend_on_extension(RelationRelationId, dataset->source_relation);
}

static char *
owning_dataset(Oid relation)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relation)};
	MemoryContext context = CurrentMemoryContext;
	char	   *name = NULL;

	SPI_connect();
	catalog_execute("SELECT d.name FROM spice_catalog.dataset_relation r JOIN spice_catalog.dataset d ON d.id = r.id WHERE r.relation = $1",
					1, types, values, NULL);
	if (SPI_processed > 0)
		name = catalog_text(0, 1, context);
	SPI_finish();
	return name;
}

void
catalog_refuse_relation(const Dataset *dataset, Oid relation)
{
	char	   *other = owning_dataset(relation);

	if (other != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation %s belongs to dataset \"%s\"", catalog_relation_name(relation), other),
				 errdetail("Dataset \"%s\" needs this name.", dataset->name),
				 errhint("If \"%s\" has left the manifest, SELECT spice_drop(%s) drops it.",
						 other, quote_literal_cstr(other))));
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_TABLE),
			 errmsg("relation %s already exists and is not spice's", catalog_relation_name(relation)),
			 errdetail("Dataset \"%s\" needs this name.", dataset->name),
			 errhint("Rename the relation or the dataset.")));
}

void
catalog_ensure_usage(Oid owner)
{
	Oid			schema = get_namespace_oid(SPICE_SOURCE_SCHEMA, false);

	if (!compat_may_use_schema(schema, owner))
		catalog_run(psprintf("GRANT USAGE ON SCHEMA " SPICE_SOURCE_SCHEMA " TO %s",
							 quote_identifier(GetUserNameFromId(owner, false))));
}

/*-------------------------------------------------------------------------
 *
 * rights.h
 *		The rights with which spice runs SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RIGHTS_H
#define SPICE_RIGHTS_H

#include "catalog/dataset.h"

/*
 * Everything spice does to its own catalog happens between these two: as the
 * owner of the extension's schema, with search_path pinned.  An error in
 * between needs no leave.
 */
typedef struct CatalogRights
{
	Oid			user;
	int			security;
	int			guc_level;
} CatalogRights;

extern void catalog_enter(CatalogRights *rights);

/*
 * The caller evaluates SQL and expressions of the manifest or of the table's
 * owner only between this call and catalog_leave(): as the role that owns the
 * tables, in a restricted context, with all settings pinned that could change rows,
 * and with the dataset's schema and public in search_path.  Opening an index
 * counts, because the server simplifies its expressions and so evaluates them.
 */
extern void catalog_enter_as_owner(const Dataset *dataset, CatalogRights *rights);

/*
 * The same for statements of spice's own on the dataset's table.  FORCE ROW LEVEL
 * SECURITY does not hide rows from them, as it does from queries of the manifest.
 */
extern void catalog_enter_unfiltered(const Dataset *dataset, CatalogRights *rights);

/* the same with the rights of the relation's owner, for DDL on it; search_path stays the caller's */
extern void catalog_enter_for_relation(Oid relation, CatalogRights *rights);

extern void catalog_leave(const CatalogRights *rights);

/* the owner of the extension */
extern Oid	catalog_owner(void);

/* the role that owns tables and runs refresh_sql: spice.role, or the extension's owner */
extern Oid	catalog_table_owner(void);

#endif

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
 * What a manifest or the owner of a table may have had a say in is run as that
 * owner, restricted, with the dataset's schema and public in search_path and
 * with the settings pinned that decide how texts are read and written.
 */
extern void catalog_enter_as_owner(const Dataset *dataset, CatalogRights *rights);
extern void catalog_leave(const CatalogRights *rights);

/* sets a setting until then */
extern void catalog_pin_setting(const char *name, const char *value);

/* the role that owns tables and runs refresh_sql: spice.role, or the extension's owner */
extern Oid	catalog_table_owner(void);

#endif

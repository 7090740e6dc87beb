/*-------------------------------------------------------------------------
 *
 * table_connector.h
 *		The view that is the source relation of a relation in this database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TABLE_CONNECTOR_H
#define SPICE_TABLE_CONNECTOR_H

#include "catalog/dataset.h"

/* columns: of SourceColumn *; name: of the view, quoted */
extern void table_connector_create_view(const Dataset *dataset, const char *name, List *columns);

/* Returns false when nothing was to be changed; drop as in source_evolve(). */
extern bool table_connector_alter_view(const Dataset *dataset, const char *name, List *columns,
									   bool drop);

#endif

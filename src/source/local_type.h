/*-------------------------------------------------------------------------
 *
 * local_type.h
 *		Types of columns on which no condition is to be sent to the source.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_LOCAL_TYPE_H
#define SPICE_LOCAL_TYPE_H

#include "catalog/dataset.h"

/* Returns a domain over the type, which no wrapper sends conditions on; creates it if need be. */
extern Oid	local_type_ensure(const Dataset *dataset, Oid type, int32 typmod);

/* Drops the domains that were created for this dataset. */
extern void local_type_drop_all(const Dataset *dataset);

#endif

/*-------------------------------------------------------------------------
 *
 * source_name.h
 *		Names of the objects that belong to a dataset, and of its source.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SOURCE_NAME_H
#define SPICE_SOURCE_NAME_H

#include "catalog/dataset.h"

/*
 * Returns the name of an object that belongs to the dataset: the prefix and the
 * name of the dataset's table, with the schema unless that is public.  Two
 * datasets never share a name.
 */
extern char *source_name(const Dataset *dataset, const char *prefix);

/* Raises the error that the source does not have the relation that from names. */
pg_noreturn extern void source_refuse_missing_relation(const Dataset *dataset);

#endif

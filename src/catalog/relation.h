/*-------------------------------------------------------------------------
 *
 * relation.h
 *		Relations and schemas of spice.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RELATION_H
#define SPICE_RELATION_H

#include "catalog/dataset.h"

/* what a relation is called, qualified and quoted; an error when it has been dropped */
extern char *catalog_relation_name(Oid relation);

/* what DDL calls its kind: FOREIGN TABLE, VIEW or TABLE */
extern const char *catalog_relation_kind(Oid relation);

/* runs DDL on a relation, with the rights of its owner */
extern void catalog_alter(Oid relation, const char *command);

/* gives a relation of ours to the role that is to own it, unless it does already */
extern void catalog_ensure_owner(Oid relation, Oid owner);

/*
 * Gives a relation that was just made the privileges that ALTER DEFAULT
 * PRIVILEGES of its owner asks for.  It does not do so by itself: the owner is not
 * the one that makes it, and may not be allowed to.
 */
extern void catalog_grant_defaults(Oid relation, Oid owner);

/* makes a thing of ours go with the extension, which DROP EXTENSION then says */
extern void catalog_depend_on_extension(Oid catalog, Oid object);

/* does it?  Only the extension's owner can make it so. */
extern bool catalog_depends_on_extension(Oid catalog, Oid object);

/* relations that were found by their names, in a database that was restored or copied, become ours */
extern void catalog_adopt_relations(const Dataset *dataset);

/* raises the error for a relation that stands where the dataset's should */
pg_noreturn extern void catalog_refuse_relation(const Dataset *dataset, Oid relation);

/* creates a schema that a dataset's name asks for, unless it is there */
extern void catalog_ensure_schema(const char *schema, Oid owner);

/* lets the role that owns the tables read the sources, unless it may */
extern void catalog_ensure_usage(Oid owner);

#endif

/*-------------------------------------------------------------------------
 *
 * index.h
 *		Indexes of a new heap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_INDEX_H
#define SPICE_INDEX_H

#include "utils/relcache.h"

#include "table/build.h"

/* Decides which indexes stay, leave and come. */
extern void index_plan(TableBuild *build, Relation table);

/* Builds the indexes of the new heap. */
extern void index_build_all(TableBuild *build);

/* Makes an index of the manifest on the table itself; skip_build: without storage. */
extern void index_create_on_table(IndexBuild *index, Oid table, bool skip_build);

/* Drops the indexes that have left the manifest. */
extern void index_drop_planned(const TableBuild *build);

/* Makes those that the manifest newly asks for: the primary key or the others. */
extern void index_create_planned(TableBuild *build, bool primary, bool skip_build);

#endif

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

/* Before each attempt of a swap, which makes storage for what the manifest newly asks for. */
extern void index_draw_numbers(TableBuild *build);

/* Makes those that the manifest newly asks for, without storage, which the swap gives them. */
extern void index_create_planned(TableBuild *build);

/*
 * The same beside readers, built.  A primary key is a unique index until
 * index_promote_primary() makes it the key, under the lock of the swap.
 */
extern void index_build_on_table(TableBuild *build);
extern bool index_has_new_primary(const TableBuild *build);
extern void index_promote_primary(const TableBuild *build);

#endif

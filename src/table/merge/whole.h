/*-------------------------------------------------------------------------
 *
 * whole.h
 *		A whole new version of the table, by changes of its rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_WHOLE_H
#define SPICE_WHOLE_H

#include "table/build.h"
#include "table/merge/merge.h"

/*
 * Makes the table what the heap is, by changes of rows, which logical replication sees.
 * The heap was built apart, and is dropped.
 */
extern MergeCounts whole_merge(TableBuild *build);

#endif

/*-------------------------------------------------------------------------
 *
 * statistics.h
 *		The planner's statistics of a new heap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_STATISTICS_H
#define SPICE_STATISTICS_H

#include "table/build.h"

/* what else there is to do, once, beside a process that helps if there is one */
typedef void (*Meanwhile) (const TableBuild *build, void *arg);
extern void build_statistics(TableBuild *build, Meanwhile meanwhile, void *arg);

/* under the lock of the swap: those of build->statistics become the table's */
extern void build_hand_over_statistics(const TableBuild *build);

/* how large a sample the statistics want, in the unit of default_statistics_target */
extern int	build_statistics_target(const TableBuild *build);

#endif

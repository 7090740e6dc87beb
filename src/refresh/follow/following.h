/*-------------------------------------------------------------------------
 *
 * following.h
 *		A dataset whose table follows its source: refresh_mode changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FOLLOWING_H
#define SPICE_FOLLOWING_H

#include "refresh/refresh.h"

/*
 * In a worker that has the dataset's lock, outside of a transaction.  Each begins
 * and ends transactions itself.
 *
 * follow: checks the subscription, or takes a snapshot and begins one.  leave:
 * the dataset follows no longer, so its subscription ends before anything else
 * is done to the table.  release: drops slots that are no longer wanted, as far
 * as their servers can be reached.
 */
extern void following_follow(Refresh *refresh);
extern void following_leave(Refresh *refresh);
extern void following_release(int dataset);

#endif

/*-------------------------------------------------------------------------
 *
 * state.h
 *		The state of a dataset: its row of spice_catalog.dataset.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_STATE_H
#define SPICE_STATE_H

#include "refresh/refresh.h"

/* The table exists, and reads its source until it is loaded. */
extern void state_registered(const Refresh *refresh);

/* The table holds what the refresh has loaded, merged or appended. */
extern void state_loaded(const Refresh *refresh);

/* The table agrees with its source; the refresh has written nothing. */
extern void state_checked(const Refresh *refresh);
extern void state_retained(const Refresh *refresh);
extern void state_retention_failed(const Refresh *refresh, const char *error);

/* What is wrong while a refresh is mending it. */
extern void state_troubled(const Refresh *refresh, const char *trouble);

/* delay_ms: until the next try; 0: there is none without a request */
extern void state_failed(const Refresh *refresh, const char *error, int64 delay_ms, bool retry);

#endif

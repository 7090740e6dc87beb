/*-------------------------------------------------------------------------
 *
 * request.h
 *		Refreshes that sessions hand to the launcher: spice_catalog.refresh_request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REQUEST_H
#define SPICE_REQUEST_H

#include "refresh/refresh.h"

/* Adds a request, unless an equal one waits. */
extern void request_add(const Dataset *dataset, const char *refresh_sql, const char *refresh_mode,
						bool retention, bool force);

/* Marks the oldest request as started, and gives the refresh what it overrides. */
extern void request_start(Refresh *refresh, int dataset);

/* Deletes the refresh's request, if it has one, in the transaction that ends the refresh. */
extern void request_end(const Refresh *refresh);

#endif

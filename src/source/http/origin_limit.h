/*-------------------------------------------------------------------------
 *
 * origin_limit.h
 *		How often, and how many at once, all processes ask an origin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ORIGIN_LIMIT_H
#define SPICE_ORIGIN_LIMIT_H

#include "source/http/http.h"
#include "source/http/url.h"

extern Size origin_limit_shared_size(void);
extern void origin_limit_shared_start(void *memory, bool initialize);

/* Waits until the request may be sent.  Serves interrupts.  Does nothing without limits. */
extern void origin_limit_enter(const Url *origin, const HttpLimits *limits);

/* The request is over, or nothing was entered. */
extern void origin_limit_leave(void);

/* Waits so many ms on the process's latch.  Serves interrupts. */
extern void origin_limit_wait(double ms);

#endif

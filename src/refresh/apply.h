/*-------------------------------------------------------------------------
 *
 * apply.h
 *		From a fetched response to the table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_APPLY_H
#define SPICE_APPLY_H

#include "refresh/refresh.h"

/* the response into the table: whole, or what is new of it */
extern void apply_response(Refresh *refresh);

/* the table's own rows into a table of the present definition's make */
extern void apply_rebuild(Refresh *refresh);

extern void apply_descriptions(const Refresh *refresh);

#endif

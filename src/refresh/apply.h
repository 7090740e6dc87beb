/*-------------------------------------------------------------------------
 *
 * apply.h
 *		From the source to the table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_APPLY_H
#define SPICE_APPLY_H

#include "refresh/refresh.h"

/* the source's rows into the table: whole, or what is new of them */
extern void apply_source(Refresh *refresh);

/* the table's own rows into a table of the present definition's make */
extern void apply_rebuild(Refresh *refresh);

extern void apply_descriptions(const Refresh *refresh);

#endif

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

/* Loads the source's rows into the table: all of them, or those that are new. */
extern void apply_source(Refresh *refresh);

/* Moves the table's own rows into storage as the present definition has it. */
extern void apply_rebuild(Refresh *refresh);

/* Makes the descriptions of the definition comments. */
extern void apply_descriptions(const Refresh *refresh);

#endif

/*-------------------------------------------------------------------------
 *
 * postgres_place.h
 *		Where a dataset's PostgreSQL is, as libpq wants to know it.
 *
 * Only files of this folder include it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_POSTGRES_PLACE_H
#define SPICE_POSTGRES_PLACE_H

#include "source/changes/remote.h"

/* with the password, which is wiped when the current context goes */
extern void postgres_place(const Dataset *dataset, RemotePlace *place);

#endif

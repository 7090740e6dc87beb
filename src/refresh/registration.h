/*-------------------------------------------------------------------------
 *
 * registration.h
 *		A table that can be read before its first load.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REGISTRATION_H
#define SPICE_REGISTRATION_H

#include "refresh/refresh.h"

/* In the worker's first transaction: makes the table if the dataset's ready_state asks for it. */
extern void registration_create_table(const Refresh *refresh);

#endif

/*-------------------------------------------------------------------------
 *
 * retention.h
 *		Deletes rows that retention has outlived.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RETENTION_H
#define SPICE_RETENTION_H

#include "refresh/refresh.h"

/* Begins and commits transactions itself. */
extern void retention_delete_rows(Refresh *refresh);

#endif

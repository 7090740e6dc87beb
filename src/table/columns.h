/*-------------------------------------------------------------------------
 *
 * columns.h
 *		Column indexes of accelerated tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMNS_H
#define SPICE_COLUMNS_H

#include "catalog/dataset.h"

/*
 * The caller's transaction holds no lock on the table, and has an active snapshot.  Both
 * wait for no lock: what another session keeps them from is left to the next refresh.
 */

/*
 * Makes the column indexes that the table is to have, and drops those of ours that it is not.
 * Returns whether the table has any.
 */
extern bool columns_settle(const Dataset *dataset);

/*
 * Brings what the table's column indexes hold up to date.  written: the last transaction that
 * has changed rows of the table, as far as the caller knows, or InvalidTransactionId.
 */
extern void columns_cover(const Dataset *dataset, TransactionId written);

#endif

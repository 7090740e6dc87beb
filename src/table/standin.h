/*-------------------------------------------------------------------------
 *
 * standin.h
 *		Until its first load a table's source stands in for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_STANDIN_H
#define SPICE_STANDIN_H

#include "catalog/dataset.h"

extern bool standin_exists(const Dataset *dataset);
extern void standin_begin(const Dataset *dataset);

/* The caller holds the table's AccessExclusiveLock. */
extern void standin_end(const Dataset *dataset);

#endif

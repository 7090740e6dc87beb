/*-------------------------------------------------------------------------
 *
 * swap.h
 *		The table takes over the storage of the new heap and its indexes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SWAP_H
#define SPICE_SWAP_H

#include "table/build.h"

extern void swap_table(TableBuild *build);

#endif

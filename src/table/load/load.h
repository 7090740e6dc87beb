/*-------------------------------------------------------------------------
 *
 * load.h
 *		A DestReceiver that puts the rows of a refresh into a new heap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_LOAD_H
#define SPICE_LOAD_H

#include "tcop/dest.h"

#include "table/build.h"

/* The build's heap gets the rows, and build->rows their number. */
extern DestReceiver *load_receiver(TableBuild *build);

#endif

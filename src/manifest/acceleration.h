/*-------------------------------------------------------------------------
 *
 * acceleration.h
 *		How a dataset is accelerated: the block "acceleration".
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ACCELERATION_H
#define SPICE_ACCELERATION_H

#include "manifest/spec.h"

extern void acceleration_parse(Parser *parser, DatasetSpec *spec);

#endif

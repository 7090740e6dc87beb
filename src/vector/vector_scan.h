/*-------------------------------------------------------------------------
 *
 * vector_scan.h
 *		The custom scan "SpiceColumns".
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_SCAN_H
#define SPICE_VECTOR_SCAN_H

#include "nodes/extensible.h"

extern const CustomScanMethods vector_scan_methods;

#endif

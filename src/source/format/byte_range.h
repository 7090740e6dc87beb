/*-------------------------------------------------------------------------
 *
 * byte_range.h
 *		A part of a document, in bytes.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_BYTE_RANGE_H
#define SPICE_BYTE_RANGE_H

#include <stdint.h>

typedef struct ByteRange
{
	int64_t		offset;
	int64_t		length;
} ByteRange;

#endif

/*-------------------------------------------------------------------------
 *
 * column_numeric.h
 *		A numeric as an integer and a number of decimal digits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_NUMERIC_H
#define SPICE_COLUMN_NUMERIC_H

#include <stdint.h>

/* data and length: what follows a varlena's header.  -1: the value is no such integer of 64 bits */
extern int	column_numeric_split(const char *data, uint32_t length, int64_t *value);

#endif

/*-------------------------------------------------------------------------
 *
 * column_numeric.c
 *		A numeric as an integer and a number of decimal digits.
 *
 * The server keeps the layout of a numeric on disk to itself (numeric.c), but has not
 * changed it since 9.1, as pg_upgrade copies tables.
 *
 *-------------------------------------------------------------------------
 */
#include "column/column_numeric.h"

#include <stdbool.h>
#include <string.h>

#define BASE 10000
#define BASE_DIGITS 4

#define SIGN_MASK 0xC000
#define SIGN_NEGATIVE 0x4000
#define FORM_SHORT 0x8000
#define FORM_SPECIAL 0xC000
#define LONG_SCALE_MASK 0x3FFF
#define SHORT_NEGATIVE 0x2000
#define SHORT_SCALE_MASK 0x1F80
#define SHORT_SCALE_SHIFT 7
#define SHORT_WEIGHT_SIGN 0x0040
#define SHORT_WEIGHT_MASK 0x003F

/* integers stay below this, so that no step leaves 64 bits */
#define LIMIT INT64_C(900000000000000)

static uint16_t
word_at(const char *data, uint32_t position)
{
	uint16_t	word;

	memcpy(&word, data + position, sizeof(word));
	return word;
}

/* value * 10 ^ exponent, exactly */
static bool
shift_decimal(int64_t *value, int exponent)
{
	for (; exponent > 0 && *value != 0; exponent--)
	{
		if (*value >= LIMIT * 1000 / 10)
			return false;
		*value *= 10;
	}
	for (; exponent < 0 && *value != 0; exponent++)
	{
		if (*value % 10 != 0)
			return false;
		*value /= 10;
	}
	return true;
}

int
column_numeric_split(const char *data, uint32_t length, int64_t *value)
{
	uint16_t	head;
	bool		negative;
	int			scale;
	int			weight;
	uint32_t	position = 2;

	*value = 0;
	if (length < 2)
		return -1;
	head = word_at(data, 0);
	if ((head & SIGN_MASK) == FORM_SPECIAL)
		return -1;
	if ((head & SIGN_MASK) == FORM_SHORT)
	{
		negative = head & SHORT_NEGATIVE;
		scale = (head & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT;
		weight = head & SHORT_WEIGHT_MASK;
		if (head & SHORT_WEIGHT_SIGN)
			weight -= SHORT_WEIGHT_MASK + 1;
	}
	else
	{
		if (length < 4)
			return -1;
		negative = (head & SIGN_MASK) == SIGN_NEGATIVE;
		scale = head & LONG_SCALE_MASK;
		weight = (int16_t) word_at(data, 2);
		position = 4;
	}
	for (; position + 2 <= length; position += 2)
	{
		if (*value >= LIMIT / 10)
			return -1;
		*value = *value * BASE + word_at(data, position);
		weight--;
	}
	if (!shift_decimal(value, (weight + 1) * BASE_DIGITS + scale))
		return -1;
	if (negative)
		*value = -*value;
	return scale;
}

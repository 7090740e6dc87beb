/*-------------------------------------------------------------------------
 *
 * fuzz_column.c
 *		Encodes a column of any values, damages some bytes, and decodes it.
 *
 * The input: the class of the column, the number of damaged bytes, for each of them
 * where it is and what it is combined with, and the values.  Without damage the values
 * come back; with damage nothing outside of the pages is read.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdint.h>

#include "../extent.h"
#include "column/column_numeric.h"

#include "check.h"

#define FLIP_BYTES 4

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* a value takes what its first byte says: nothing (null), or so many of the bytes that follow */
typedef struct Value
{
	bool		is_null;
	const char *data;
	uint32_t	length;
} Value;

static Value
next_value(const uint8_t **data, size_t *size)
{
	uint8_t		head = **data;
	Value		value = {head == 0xff, (const char *) *data + 1, head & 0x0f};

	(*data)++;
	(*size)--;
	if (value.is_null)
		value.length = 0;
	if (value.length > *size)
		value.length = (uint32_t) *size;
	*data += value.length;
	*size -= value.length;
	return value;
}

static int64_t
integer_of(const Value *value)
{
	int64_t		integer = 0;

	memcpy(&integer, value->data, value->length < 8 ? value->length : 8);
	return integer;
}

static double
float_of(const Value *value, int width)
{
	int64_t		bits = integer_of(value);
	double		number;
	float		small;

	memcpy(&number, &bits, sizeof(number));
	memcpy(&small, &bits, sizeof(small));
	return width == 4 ? small : number;
}

static void
gather_value(ColumnGather *gather, ColumnClass class, int width, const Value *value)
{
	int64_t		integer;

	if (value->is_null)
		column_gather_null(gather);
	else if (class == COLUMN_CLASS_INTEGER)
		column_gather_integer(gather, integer_of(value));
	else if (class == COLUMN_CLASS_FLOAT)
		column_gather_float(gather, float_of(value, width));
	else if (class == COLUMN_CLASS_BYTES)
		column_gather_bytes(gather, value->data, value->length);
	else
	{
		int			scale = column_numeric_split(value->data, value->length, &integer);

		column_gather_numeric(gather, integer, scale, value->data, value->length);
	}
}

static void
read_row(const Extent *extent, uint32_t row, const Value *value, int width, bool is_damaged)
{
	const ColumnChunk *chunk = extent_chunk(extent);
	char	   *bytes = NULL;
	ColumnBytes string = {NULL, 0};
	int64_t		integer;
	double		number;
	bool		is_null = extent_is_null(extent, row);
	bool		same = false;

	switch (chunk->encoding)
	{
		case COLUMN_INTEGER:
			integer = extent_integer(extent, row);
			/* what a numeric is as an integer is column_numeric.c's business */
			same = chunk->scale >= 0 || integer == integer_of(value);
			break;
		case COLUMN_FLOAT:
			number = extent_float(extent, row);
			same = number == float_of(value, width) || (isnan(number) && isnan(float_of(value, width)));
			break;
		case COLUMN_CODE:
		case COLUMN_BYTES:
			same = extent_string(extent, row, &bytes, &string) && string.length == value->length &&
				memcmp(string.data, value->data, value->length) == 0;
			break;
		default:
			break;
	}
	CHECK(is_damaged || (is_null == value->is_null && (is_null || same)));
	free(bytes);
}

static void
damage(Extent *extent, const uint8_t *flip)
{
	size_t		place = (flip[0] | flip[1] << 8 | flip[2] << 16) % (extent->header_length + (size_t) extent->pages * COLUMN_PAGE_BYTES);

	if (place < extent->header_length)
		extent->header[place] ^= (char) flip[3];
	else
	{
		place -= extent->header_length;
		extent->page[place / COLUMN_PAGE_BYTES][place % COLUMN_PAGE_BYTES] ^= (char) flip[3];
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ExtentMemory memory = {NULL, 0};
	ColumnGather *gather;
	ColumnClass class;
	Extent		extent;
	Value	   *values;
	uint32_t	rows = 0;
	int			width;
	const uint8_t *flips;
	size_t		n_flips;

	if (size < 2)
		return 0;
	class = data[0] % 4;
	width = data[0] & 4 ? 4 : 8;
	n_flips = data[1] % 4;
	if (size < 2 + n_flips * FLIP_BYTES)
		return 0;
	flips = data + 2;
	data += 2 + n_flips * FLIP_BYTES;
	size -= 2 + n_flips * FLIP_BYTES;

	values = malloc(sizeof(Value) * (size + 1));
	gather = column_gather_make(class, width, extent_allocate, &memory);
	column_gather_start(gather);
	while (size > 0)
	{
		values[rows] = next_value(&data, &size);
		gather_value(gather, class, width, &values[rows++]);
	}
	extent = extent_make(gather, rows);
	for (size_t i = 0; i < n_flips; i++)
		damage(&extent, flips + i * FLIP_BYTES);
	CHECK(n_flips > 0 || extent_is_sound(&extent));
	if (extent_is_sound(&extent))
	{
		for (uint32_t row = 0; row < rows; row++)
			read_row(&extent, row, &values[row], width, n_flips > 0);
	}
	extent_free(&extent);
	free(values);
	extent_release(&memory);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * column_encode.c
 *		From the values of a row group's column to the areas of a chunk.
 *
 * Strings become numbers of dictionary entries as they come, until there are too
 * many entries for a dictionary to save anything.
 *
 *-------------------------------------------------------------------------
 */
#include "column/column_encode.h"

#include <math.h>
#include <string.h>

/* entries of a dictionary, and when it is clear that there will be too many */
#define MAX_ENTRIES 40000
#define TRIAL_ROWS 4096

/* a power of two */
#define SLOTS (128 * 1024)

#define MICROSECONDS 1000000

struct ColumnGather
{
	ColumnClass class;
	int			width;
	ColumnAllocate allocate;
	void	   *context;
	bool		given_up;
	int			rows;
	int			room;			/* for rows */
	uint32_t	nulls;
	uint8_t    *null_bits;
	int64_t    *integers;		/* of a float: its bits as a double */
	int			scale;			/* of all numerics so far; -1: they differ, -2: none yet */
	/* strings: of the entries of the dictionary, or of all rows */
	bool		is_dictionary;
	uint32_t	strings;
	uint32_t   *offsets;		/* one more than strings */
	uint32_t	offset_room;
	char	   *bytes;
	size_t		byte_room;
	uint32_t   *slots;			/* numbers of entries, plus one */
	uint16_t   *codes;
	char	   *encoded;
	size_t		encoded_room;
};

static void
make_room(const ColumnGather *gather, void *array, size_t size)
{
	void	  **pointer = array;

	*pointer = gather->allocate(gather->context, *pointer, size);
}

ColumnGather *
column_gather_make(ColumnClass class, int width, ColumnAllocate allocate, void *context)
{
	ColumnGather *gather = allocate(context, NULL, sizeof(ColumnGather));

	memset(gather, 0, sizeof(ColumnGather));
	gather->class = class;
	gather->width = width;
	gather->allocate = allocate;
	gather->context = context;
	return gather;
}

static bool
has_strings(const ColumnGather *gather)
{
	return gather->class == COLUMN_CLASS_BYTES || gather->class == COLUMN_CLASS_NUMERIC;
}

void
column_gather_start(ColumnGather *gather)
{
	if (gather->room > 0)
		memset(gather->null_bits, 0, gather->room / 8);
	gather->given_up = false;
	gather->rows = 0;
	gather->nulls = 0;
	gather->scale = -2;
	gather->strings = 0;
	gather->is_dictionary = has_strings(gather);
	if (gather->is_dictionary)
	{
		make_room(gather, &gather->slots, SLOTS * sizeof(uint32_t));
		memset(gather->slots, 0, SLOTS * sizeof(uint32_t));
	}
}

/* The number of the next row. */
static int
next_row(ColumnGather *gather)
{
	if (gather->rows == gather->room)
	{
		int			room = gather->room == 0 ? 8192 : gather->room * 2;

		make_room(gather, &gather->null_bits, room / 8);
		memset(gather->null_bits + gather->room / 8, 0, (room - gather->room) / 8);
		if (gather->class != COLUMN_CLASS_BYTES)
			make_room(gather, &gather->integers, room * sizeof(int64_t));
		if (has_strings(gather))
			make_room(gather, &gather->codes, room * sizeof(uint16_t));
		gather->room = room;
	}
	return gather->rows++;
}

static void
append_string(ColumnGather *gather, const char *data, uint32_t length)
{
	uint32_t	end;

	if (gather->strings + 1 >= gather->offset_room)
	{
		gather->offset_room = gather->offset_room == 0 ? 8192 : gather->offset_room * 2;
		make_room(gather, &gather->offsets, gather->offset_room * sizeof(uint32_t));
	}
	if (gather->strings == 0)
		gather->offsets[0] = 0;
	end = gather->offsets[gather->strings] + length;
	if (end > gather->byte_room || gather->byte_room == 0)
	{
		gather->byte_room = gather->byte_room == 0 ? 65536 : gather->byte_room * 2;
		if (gather->byte_room < end)
			gather->byte_room = end;
		make_room(gather, &gather->bytes, gather->byte_room);
	}
	memcpy(gather->bytes + gather->offsets[gather->strings], data, length);
	gather->offsets[++gather->strings] = end;
}

static uint32_t
hash_string(const char *data, uint32_t length)
{
	uint64_t	first = 0;
	uint64_t	last = 0;
	uint64_t	hash;

	if (length >= 8)
	{
		memcpy(&first, data, 8);
		memcpy(&last, data + length - 8, 8);
		for (uint32_t i = 8; i + 8 < length; i += 8)
		{
			uint64_t	word;

			memcpy(&word, data + i, 8);
			first = (first ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		}
	}
	else
		memcpy(&first, data, length);
	hash = (first * UINT64_C(0x9E3779B97F4A7C15)) ^ ((last + length) * UINT64_C(0xC2B2AE3D27D4EB4F));
	return (uint32_t) ((hash ^ (hash >> 29)) * UINT64_C(0x9E3779B97F4A7C15) >> 40) & (SLOTS - 1);
}

/* The entry's number; -1: there are too many. */
static int
find_entry(ColumnGather *gather, const char *data, uint32_t length)
{
	for (uint32_t slot = hash_string(data, length);; slot = (slot + 1) & (SLOTS - 1))
	{
		uint32_t	entry = gather->slots[slot];
		uint32_t	start;

		if (entry == 0)
		{
			if (gather->strings == MAX_ENTRIES ||
				(gather->rows > TRIAL_ROWS && gather->strings > (uint32_t) gather->rows / 2))
				return -1;
			append_string(gather, data, length);
			gather->slots[slot] = gather->strings;
			return (int) gather->strings - 1;
		}
		start = gather->offsets[entry - 1];
		if (gather->offsets[entry] - start == length && memcmp(gather->bytes + start, data, length) == 0)
			return (int) entry - 1;
	}
}

static bool
row_is_null(const ColumnGather *gather, int row)
{
	return gather->null_bits[row / 8] >> (row % 8) & 1;
}

/* The strings of the rows before this one, instead of the entries. */
static void
leave_dictionary(ColumnGather *gather, int rows)
{
	uint32_t   *offsets = gather->offsets;
	char	   *bytes = gather->bytes;

	gather->is_dictionary = false;
	gather->strings = 0;
	gather->offsets = NULL;
	gather->offset_room = 0;
	gather->bytes = NULL;
	gather->byte_room = 0;
	for (int row = 0; row < rows; row++)
	{
		uint32_t	code = gather->codes[row];

		if (row_is_null(gather, row))
			append_string(gather, "", 0);
		else
			append_string(gather, bytes + offsets[code], offsets[code + 1] - offsets[code]);
	}
	gather->allocate(gather->context, offsets, 0);
	gather->allocate(gather->context, bytes, 0);
}

static void
take_string(ColumnGather *gather, int row, const char *data, uint32_t length)
{
	if (gather->is_dictionary)
	{
		int			entry = find_entry(gather, data, length);

		if (entry >= 0)
		{
			gather->codes[row] = (uint16_t) entry;
			return;
		}
		leave_dictionary(gather, row);
	}
	append_string(gather, data, length);
}

void
column_gather_null(ColumnGather *gather)
{
	int			row = next_row(gather);

	gather->null_bits[row / 8] |= 1 << row % 8;
	gather->nulls++;
	if (gather->class != COLUMN_CLASS_BYTES)
		gather->integers[row] = 0;
	if (gather->is_dictionary)
		gather->codes[row] = 0;
	else if (has_strings(gather))
		append_string(gather, "", 0);
}

void
column_gather_integer(ColumnGather *gather, int64_t value)
{
	int			row = next_row(gather);

	gather->integers[row] = value;
}

void
column_gather_float(ColumnGather *gather, double value)
{
	int			row = next_row(gather);

	memcpy(&gather->integers[row], &value, sizeof(value));
}

void
column_gather_bytes(ColumnGather *gather, const char *data, uint32_t length)
{
	int			row = next_row(gather);

	if (!gather->given_up)
		take_string(gather, row, data, length);
}

void
column_gather_numeric(ColumnGather *gather, int64_t value, int scale, const char *data, uint32_t length)
{
	int			row = next_row(gather);

	if (gather->given_up)
		return;
	gather->integers[row] = value;
	if (gather->scale == -2)
		gather->scale = scale;
	else if (gather->scale != scale)
		gather->scale = -1;
	take_string(gather, row, data, length);
}

void
column_gather_give_up(ColumnGather *gather)
{
	(void) next_row(gather);
	gather->given_up = true;
}

/* ------- areas ------- */

uint32_t
column_area_pages(const ColumnArea *area)
{
	size_t		per_page;

	if (area->bytes == 0)
		return 0;
	per_page = COLUMN_PAGE_BYTES / area->unit;
	return (uint32_t) ((area->bytes / area->unit + per_page - 1) / per_page);
}

static char *
encoded_room(ColumnGather *gather, size_t size)
{
	if (gather->encoded_room < size)
	{
		make_room(gather, &gather->encoded, size);
		gather->encoded_room = size;
	}
	return gather->encoded;
}

static void
find_integer_range(const ColumnGather *gather, ColumnChunk *chunk)
{
	int64_t		minimum = INT64_MAX;
	int64_t		maximum = INT64_MIN;

	for (int row = 0; row < gather->rows; row++)
	{
		if (gather->nulls > 0 && row_is_null(gather, row))
			continue;
		minimum = gather->integers[row] < minimum ? gather->integers[row] : minimum;
		maximum = gather->integers[row] > maximum ? gather->integers[row] : maximum;
	}
	chunk->has_range = minimum <= maximum;
	chunk->minimum.integer = chunk->has_range ? minimum : 0;
	chunk->maximum.integer = chunk->has_range ? maximum : 0;
}

/* Timestamps often are whole seconds. */
static bool
all_are_seconds_apart(const ColumnGather *gather, uint64_t base)
{
	for (int row = 0; row < gather->rows; row++)
	{
		if (((uint64_t) gather->integers[row] - base) % MICROSECONDS != 0 &&
			!(gather->nulls > 0 && row_is_null(gather, row)))
			return false;
	}
	return true;
}

#define NARROW(type) \
	do { \
		type *to = (type *) encoded; \
		if (factor == 1) \
			for (int row = 0; row < gather->rows; row++) \
				to[row] = (type) ((uint64_t) gather->integers[row] - base); \
		else \
			for (int row = 0; row < gather->rows; row++) \
				to[row] = (type) (((uint64_t) gather->integers[row] - base) / MICROSECONDS); \
	} while (0)

static void
encode_integers(ColumnGather *gather, ColumnChunk *chunk, ColumnArea *values)
{
	uint64_t	base;
	uint64_t	range;
	uint64_t	factor = 1;
	char	   *encoded = encoded_room(gather, gather->rows * sizeof(int64_t));

	find_integer_range(gather, chunk);
	base = (uint64_t) chunk->minimum.integer;
	range = (uint64_t) chunk->maximum.integer - base;
	if (range > UINT32_MAX && range / MICROSECONDS <= UINT32_MAX && all_are_seconds_apart(gather, base))
		factor = MICROSECONDS;
	range /= factor;
	chunk->encoding = COLUMN_INTEGER;
	chunk->base = (int64_t) base;
	chunk->factor = (int64_t) factor;
	if (range == 0)
		chunk->width = 0;
	else if (range <= UINT8_MAX)
	{
		chunk->width = 1;
		NARROW(uint8_t);
	}
	else if (range <= UINT16_MAX)
	{
		chunk->width = 2;
		NARROW(uint16_t);
	}
	else if (range <= UINT32_MAX)
	{
		chunk->width = 4;
		NARROW(uint32_t);
	}
	else
	{
		chunk->width = 8;
		NARROW(uint64_t);
	}
	*values = (ColumnArea) {encoded, (size_t) gather->rows * chunk->width, chunk->width};
}

static void
encode_floats(ColumnGather *gather, ColumnChunk *chunk, ColumnArea *values)
{
	const double *numbers = (const double *) (const void *) gather->integers;
	double		minimum = INFINITY;
	double		maximum = -INFINITY;
	bool		any = false;

	for (int row = 0; row < gather->rows; row++)
	{
		if (gather->nulls > 0 && row_is_null(gather, row))
			continue;
		if (isnan(numbers[row]))
		{
			chunk->has_nan = true;
			continue;
		}
		any = true;
		minimum = numbers[row] < minimum ? numbers[row] : minimum;
		maximum = numbers[row] > maximum ? numbers[row] : maximum;
	}
	chunk->encoding = COLUMN_FLOAT;
	chunk->width = (uint8_t) gather->width;
	chunk->has_range = any;
	chunk->minimum.number = any ? minimum : 0;
	chunk->maximum.number = any ? maximum : 0;
	if (gather->width == sizeof(float))
	{
		float	   *to = (float *) (void *) encoded_room(gather, gather->rows * sizeof(float));

		for (int row = 0; row < gather->rows; row++)
			to[row] = (float) numbers[row];
		*values = (ColumnArea) {to, gather->rows * sizeof(float), sizeof(float)};
	}
	else
		*values = (ColumnArea) {numbers, gather->rows * sizeof(double), sizeof(double)};
}

static void
encode_strings(ColumnGather *gather, ColumnChunk *chunk, ColumnArea areas[COLUMN_AREAS])
{
	/* rows that are null have the first entry, or the only string */
	if (gather->strings == 0)
		append_string(gather, "", 0);
	chunk->bytes = gather->offsets[gather->strings];
	areas[COLUMN_AREA_BYTES] = (ColumnArea) {gather->bytes, chunk->bytes, 1};
	if (!gather->is_dictionary)
	{
		chunk->encoding = COLUMN_BYTES;
		chunk->width = 4;
		areas[COLUMN_AREA_VALUES] = (ColumnArea) {gather->offsets, (gather->strings + 1) * sizeof(uint32_t), 4};
		return;
	}
	chunk->encoding = COLUMN_CODE;
	chunk->entries = gather->strings;
	areas[COLUMN_AREA_OFFSETS] = (ColumnArea) {gather->offsets, (gather->strings + 1) * sizeof(uint32_t), 4};
	if (gather->strings <= UINT8_MAX + 1)
	{
		uint8_t    *to = (uint8_t *) encoded_room(gather, gather->rows);

		for (int row = 0; row < gather->rows; row++)
			to[row] = (uint8_t) gather->codes[row];
		chunk->width = 1;
		areas[COLUMN_AREA_VALUES] = (ColumnArea) {to, gather->rows, 1};
	}
	else
	{
		chunk->width = 2;
		areas[COLUMN_AREA_VALUES] = (ColumnArea) {gather->codes, gather->rows * sizeof(uint16_t), 2};
	}
}

void
column_encode(ColumnGather *gather, ColumnChunk *chunk, ColumnArea areas[COLUMN_AREAS])
{
	memset(chunk, 0, sizeof(ColumnChunk));
	memset(areas, 0, sizeof(ColumnArea) * COLUMN_AREAS);
	chunk->scale = -1;
	if (gather->given_up)
	{
		chunk->encoding = COLUMN_ABSENT;
		return;
	}
	chunk->nulls = gather->nulls;
	if (gather->nulls > 0)
		areas[COLUMN_AREA_NULLS] = (ColumnArea) {gather->null_bits, ((size_t) gather->rows + 7) / 8, 1};
	if (gather->class == COLUMN_CLASS_INTEGER)
		encode_integers(gather, chunk, &areas[COLUMN_AREA_VALUES]);
	else if (gather->class == COLUMN_CLASS_FLOAT)
		encode_floats(gather, chunk, &areas[COLUMN_AREA_VALUES]);
	else if (gather->class == COLUMN_CLASS_NUMERIC && gather->scale != -1)
	{
		chunk->scale = gather->scale == -2 ? 0 : gather->scale;
		encode_integers(gather, chunk, &areas[COLUMN_AREA_VALUES]);
	}
	else
		encode_strings(gather, chunk, areas);
}

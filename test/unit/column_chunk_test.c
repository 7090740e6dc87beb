/*-------------------------------------------------------------------------
 *
 * column_chunk_test.c
 *		Tests the chunks of column indexes (src/column/column_encode.c and the files
 *		beside it) on the host; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>

#include "../extent.h"
#include "column/column_free.h"
#include "column/column_numeric.h"
#include "tap.h"

static ExtentMemory memory;

static ColumnGather *
begin(ColumnClass class, int width)
{
	ColumnGather *gather = column_gather_make(class, width, extent_allocate, &memory);

	column_gather_start(gather);
	return gather;
}

/* ---- integers ---- */

typedef struct Integers
{
	const char *what;
	int64_t		base;
	uint64_t	range;			/* the greatest value is this much more */
	int64_t		step;
	int			width;
} Integers;

static const Integers integers[] = {
	{"one value", 42, 0, 1, 0},
	{"a byte", -100, 255, 1, 1},
	{"one more than a byte", -100, 256, 1, 2},
	{"two bytes", 0, 65535, 1, 2},
	{"one more than two bytes", 1000, 65536, 1, 4},
	{"four bytes", -5, UINT32_MAX, 1, 4},
	{"one more than four bytes", -5, UINT64_C(1) << 32, 1, 8},
	{"all 64 bits", INT64_MIN, UINT64_MAX, 1, 8},
	{"whole seconds", 757382400000000, UINT64_C(86400) * 1000000 * 365, 1000000, 4},
	{"whole seconds and a bit", 757382400000000, UINT64_C(86400) * 1000000 * 365 + 1, 1, 8},
	{"whole seconds of all times", INT64_MIN, UINT64_MAX / 1000000 * 1000000, 1000000, 8},
};

static int64_t
integer_at(const Integers *kind, int row, int rows)
{
	uint64_t	offset = (uint64_t) row * UINT64_C(0x9E3779B97F4A7C15) >> 3;

	if (row == rows - 1)
		offset = kind->range;
	else if (row == 0)
		offset = 0;
	else if (kind->range != UINT64_MAX)
		offset %= kind->range + 1;
	if (row != rows - 1)
		offset -= offset % kind->step;
	return (int64_t) ((uint64_t) kind->base + offset);
}

static void
test_integers(const Integers *kind, int rows, int null_step)
{
	ColumnGather *gather = begin(COLUMN_CLASS_INTEGER, 8);
	Extent		extent;
	int			wrong = 0;

	for (int row = 0; row < rows; row++)
	{
		if (null_step > 0 && row % null_step == 1)
			column_gather_null(gather);
		else
			column_gather_integer(gather, integer_at(kind, row, rows));
	}
	extent = extent_make(gather, rows);
	check(extent_is_sound(&extent), "%s: %d rows are sound", kind->what, rows);
	check(extent_chunk(&extent)->width == kind->width, "%s: %d bytes a value", kind->what, kind->width);
	for (int row = 0; row < rows; row++)
	{
		bool		is_null = null_step > 0 && row % null_step == 1;

		wrong += extent_is_null(&extent, row) != is_null ||
			(!is_null && extent_integer(&extent, row) != integer_at(kind, row, rows));
	}
	check(wrong == 0, "%s: %d rows come back", kind->what, rows);
	check(extent_chunk(&extent)->minimum.integer == kind->base &&
		  (uint64_t) extent_chunk(&extent)->maximum.integer == (uint64_t) kind->base + kind->range,
		  "%s: least and greatest", kind->what);
	extent_free(&extent);
	extent_release(&memory);
}

/* ---- floats ---- */

static void
test_floats(int width)
{
	const double numbers[] = {0.0, -0.0, 1.5, -1.5, INFINITY, -INFINITY, NAN, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN};
	ColumnGather *gather = begin(COLUMN_CLASS_FLOAT, width);
	int			count = sizeof(numbers) / sizeof(numbers[0]);
	Extent		extent;
	int			wrong = 0;

	for (int row = 0; row < 3000; row++)
		column_gather_float(gather, numbers[row % count]);
	extent = extent_make(gather, 3000);
	check(extent_is_sound(&extent), "float%d: sound", width);
	for (int row = 0; row < 3000; row++)
	{
		double		value = extent_float(&extent, row);
		double		expected = numbers[row % count];

		wrong += isnan(expected) ? !isnan(value) : value != expected || signbit(value) != signbit(expected);
	}
	check(wrong == 0, "float%d: values come back with their signs", width);
	check(extent_chunk(&extent)->has_nan && extent_chunk(&extent)->has_range &&
		  extent_chunk(&extent)->minimum.number == -INFINITY, "float%d: NaN is beside the range", width);
	extent_free(&extent);
	extent_release(&memory);
}

/* ---- strings ---- */

static uint32_t
string_at(int row, int distinct, char *text)
{
	/* each comes three times before another one, so that the trial of a dictionary goes well */
	int			number = row / 3 % distinct;

	/* the empty string, and one longer than the words of the hash */
	if (number == 0)
		return 0;
	return (uint32_t) sprintf(text, number % 3 ? "%d" : "value number %d of many", number);
}

static void
test_strings(int rows, int distinct, ColumnEncoding encoding, int width, int null_step)
{
	ColumnGather *gather = begin(COLUMN_CLASS_BYTES, 0);
	Extent		extent;
	char		text[64];
	int			wrong = 0;

	for (int row = 0; row < rows; row++)
	{
		if (null_step > 0 && row % null_step == 0)
			column_gather_null(gather);
		else
			column_gather_bytes(gather, text, string_at(row, distinct, text));
	}
	extent = extent_make(gather, rows);
	check(extent_is_sound(&extent), "%d strings, %d different: sound", rows, distinct);
	check(extent_chunk(&extent)->encoding == encoding && extent_chunk(&extent)->width == width,
		  "%d strings, %d different: encoding", rows, distinct);
	for (int row = 0; row < rows; row++)
	{
		char	   *bytes = NULL;
		ColumnBytes value = {NULL, 0};
		uint32_t	length = string_at(row, distinct, text);
		bool		is_null = null_step > 0 && row % null_step == 0;

		wrong += extent_is_null(&extent, row) != is_null ||
			(!is_null && (!extent_string(&extent, row, &bytes, &value) || value.length != length ||
						  memcmp(value.data, text, length) != 0));
		free(bytes);
	}
	check(wrong == 0, "%d strings, %d different: values come back", rows, distinct);
	extent_free(&extent);
	extent_release(&memory);
}

static void
test_nulls_alone(ColumnClass class)
{
	ColumnGather *gather = begin(class, 8);
	Extent		extent;
	int			nulls = 0;

	for (int row = 0; row < 5000; row++)
		column_gather_null(gather);
	extent = extent_make(gather, 5000);
	check(extent_is_sound(&extent), "class %d: nothing but null is sound", class);
	for (int row = 0; row < 5000; row++)
		nulls += extent_is_null(&extent, row);
	check(nulls == 5000 && extent_chunk(&extent)->nulls == 5000 && !extent_chunk(&extent)->has_range,
		  "class %d: nothing but null comes back", class);
	extent_free(&extent);
	extent_release(&memory);
}

static void
test_absent(void)
{
	ColumnGather *gather = begin(COLUMN_CLASS_BYTES, 0);
	Extent		extent;

	column_gather_bytes(gather, "a", 1);
	column_gather_give_up(gather);
	column_gather_bytes(gather, "b", 1);
	extent = extent_make(gather, 3);
	check(extent_is_sound(&extent) && extent_chunk(&extent)->encoding == COLUMN_ABSENT && extent.pages == 0,
		  "a column with a value that cannot be kept is absent");
	extent_free(&extent);

	column_gather_start(gather);
	column_gather_bytes(gather, "c", 1);
	extent = extent_make(gather, 1);
	check(extent_is_sound(&extent) && extent_chunk(&extent)->encoding == COLUMN_CODE,
		  "... and is there again in the next row group");
	extent_free(&extent);
	extent_release(&memory);
}

/* ---- numeric ---- */

typedef struct Numeric
{
	const char *what;
	uint16_t	words[6];
	int			count;
	int			scale;			/* -1: stays bytes */
	int64_t		value;
} Numeric;

/* as numeric.c stores them: 0x8000 | negative 0x2000 | scale << 7 | weight, then digits of 10,000 */
static const Numeric numerics[] = {
	{"0", {0x8000}, 1, 0, 0},
	{"0.00", {0x8000 | 2 << 7}, 1, 2, 0},
	{"1", {0x8000, 1}, 2, 0, 1},
	{"-1", {0xA000, 1}, 2, 0, -1},
	{"12.50", {0x8000 | 2 << 7, 12, 5000}, 3, 2, 1250},
	{"12.5000", {0x8000 | 4 << 7, 12, 5000}, 3, 4, 125000},
	{"0.0001", {0x8000 | 4 << 7 | 0x7F, 1}, 2, 4, 1},
	{"0.00000001", {0x8000 | 8 << 7 | 0x7E, 1}, 2, 8, 1},
	{"10000", {0x8000 | 1, 1}, 2, 0, 10000},
	{"12345678", {0x8000 | 1, 1234, 5678}, 3, 0, 12345678},
	{"1e60", {0x8000 | 15, 1}, 2, -1, 0},
	{"NaN", {0xC000}, 1, -1, 0},
	{"Infinity", {0xD000}, 1, -1, 0},
	{"-Infinity", {0xF000}, 1, -1, 0},
	{"12345678901234567890", {0x8000 | 4, 1234, 5678, 9012, 3456, 7890}, 6, -1, 0},
	{"99999999999999.9999", {0x8000 | 4 << 7 | 3, 99, 9999, 9999, 9999, 9999}, 6, -1, 0},
	{"89999999999999.9999", {0x8000 | 4 << 7 | 3, 89, 9999, 9999, 9999, 9999}, 6, 4, INT64_C(899999999999999999)},
	{"the long form of -1.00", {0x4000 | 2, 0, 1}, 3, 2, -100},
	{"the long form of 0.01", {0x0000 | 2, 0xFFFF, 100}, 3, 2, 1},
};

static void
test_numeric(const Numeric *numeric)
{
	int64_t		value = -77;
	int			scale = column_numeric_split((const char *) numeric->words, (uint32_t) (numeric->count * 2), &value);

	check(scale == numeric->scale && (scale < 0 || value == numeric->value), "numeric %s", numeric->what);
}

static void
test_numeric_scales(void)
{
	const		uint16_t one[] = {0x8000, 1};
	const		uint16_t half[] = {0x8000 | 1 << 7 | 0x7F, 5000};
	ColumnGather *gather = begin(COLUMN_CLASS_NUMERIC, 0);
	Extent		extent;
	char	   *bytes;
	ColumnBytes value;

	column_gather_numeric(gather, 1, 0, (const char *) one, sizeof(one));
	column_gather_numeric(gather, 2, 0, (const char *) one, sizeof(one));
	extent = extent_make(gather, 2);
	check(extent_chunk(&extent)->encoding == COLUMN_INTEGER && extent_chunk(&extent)->scale == 0 &&
		  extent_integer(&extent, 1) == 2, "numerics of one scale are integers");
	extent_free(&extent);

	column_gather_start(gather);
	column_gather_numeric(gather, 1, 0, (const char *) one, sizeof(one));
	column_gather_numeric(gather, 5, 1, (const char *) half, sizeof(half));
	extent = extent_make(gather, 2);
	check(extent_chunk(&extent)->encoding == COLUMN_CODE && extent_chunk(&extent)->scale == -1 &&
		  extent_string(&extent, 1, &bytes, &value) && value.length == sizeof(half) &&
		  memcmp(value.data, half, sizeof(half)) == 0, "numerics of several scales stay bytes");
	free(bytes);
	extent_free(&extent);
	extent_release(&memory);
}

/* ---- free pages ---- */

static bool
is_unread(void *context, uint64_t since)
{
	return since < *(const uint64_t *) context;
}

static void
test_free(void)
{
	ColumnFreeList list = {0};
	uint64_t	horizon = 10;

	check(column_free_find(&list, 1, is_unread, &horizon) == 0, "an empty list has no pages");
	column_free_add(&list, 100, 10, 5);
	column_free_add(&list, 200, 4, 5);
	column_free_add(&list, 300, 4, 15);
	check(column_free_find(&list, 3, is_unread, &horizon) == 200, "the smallest range that is large enough");
	check(column_free_find(&list, 11, is_unread, &horizon) == 0, "none is large enough");
	column_free_take(&list, 200, 4);
	check(column_free_find(&list, 3, is_unread, &horizon) == 100, "a range that a snapshot may read waits");
	column_free_take(&list, 100, 3);
	check(column_free_find(&list, 7, is_unread, &horizon) == 103, "the rest of a range stays");
	column_free_add(&list, 110, 5, 5);
	column_free_add(&list, 98, 5, 5);
	check(column_free_find(&list, 17, is_unread, &horizon) == 98, "neighbours become one range");
	for (uint32_t i = 0; i < 2 * COLUMN_FREE_RANGES; i++)
		column_free_add(&list, 1000 + i * 100, 2 + i, 5);
	check(list.count == COLUMN_FREE_RANGES && column_free_find(&list, 2 * COLUMN_FREE_RANGES, is_unread, &horizon) != 0,
		  "a list that is full forgets the smallest");
}

/* ---- damage ---- */

static void
test_damage(void)
{
	ColumnGather *gather = begin(COLUMN_CLASS_BYTES, 0);
	Extent		extent;
	char		text[64];
	ColumnChunk *chunk;

	for (int row = 0; row < 1000; row++)
		column_gather_bytes(gather, text, string_at(row, 300, text));
	extent = extent_make(gather, 1000);
	chunk = (ColumnChunk *) (extent.header + sizeof(ColumnHeader));
	chunk->entries = 299;
	check(extent_is_sound(&extent), "an entry less is not seen from the header");
	for (int row = 0; row < 1000; row++)
	{
		char	   *bytes = NULL;
		ColumnBytes value;

		if (row / 3 % 300 == 299)
			check(!extent_string(&extent, row, &bytes, &value), "... but by row %d, which has it", row);
		free(bytes);
	}
	chunk->value_page = extent.pages;
	check(!extent_is_sound(&extent), "a page outside of the extent is seen");
	extent_free(&extent);
	extent_release(&memory);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
	{
		test_integers(&integers[i], 2, 0);
		test_integers(&integers[i], 20000, 0);
		test_integers(&integers[i], 20000, 7);
	}
	test_floats(4);
	test_floats(8);
	test_strings(1, 1, COLUMN_CODE, 1, 0);
	test_strings(60000, 256, COLUMN_CODE, 1, 0);
	test_strings(60000, 257, COLUMN_CODE, 2, 3);
	test_strings(150000, 40000, COLUMN_CODE, 2, 0);
	test_strings(150000, 40001, COLUMN_BYTES, 4, 5);
	for (ColumnClass class = COLUMN_CLASS_INTEGER; class <= COLUMN_CLASS_BYTES; class++)
		test_nulls_alone(class);
	test_absent();
	for (size_t i = 0; i < sizeof(numerics) / sizeof(numerics[0]); i++)
		test_numeric(&numerics[i]);
	test_numeric_scales();
	test_free();
	test_damage();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

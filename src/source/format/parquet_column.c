/*-------------------------------------------------------------------------
 *
 * parquet_column.c
 *		Reads the pages of one column chunk, as levels and values.
 *
 * A chunk is a dictionary page, perhaps, and data pages.  A window over the
 * chunk grows to the largest page; a page is unpacked into memory of its own,
 * where its values stay.  A batch of rows may span pages, so memory that
 * values may point into is kept until parquet_column_release(); that of the
 * last call's values is kept longer, as the caller may not have used them all.
 *
 * Source: the Apache Parquet format, README.md, Encodings.md, Compression.md.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_column.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "source/format/parquet_codec.h"
#include "source/format/parquet_page.h"
#include "source/format/parquet_thrift.h"

#define READ_AHEAD		(128 * 1024)
#define HEADER_BYTES	(16 * 1024) /* tried first for a page's header */
#define MAX_HEADER		(16 * 1024 * 1024)

/* Some writers leave the dictionary's header out of a chunk's length. */
#define LENGTH_SLACK	100

/* memory that values may point into */
typedef struct Kept
{
	struct Kept *next;
	size_t		size;
	char		bytes[];
} Kept;

/* the levels of a page, by either encoding */
typedef struct LevelDecoder
{
	bool		constant;		/* all are 0 */
	bool		bit_packed;		/* the old encoding, from the highest bit on */
	HybridDecoder hybrid;
	const uint8_t *bytes;
	size_t		size;
	uint64_t	bit;
	int			bits;
} LevelDecoder;

struct ParquetColumn
{
	ParquetFile *file;
	const ParquetNode *leaf;
	int			codec;
	int64_t		values_left;	/* of the chunk, in pages not yet begun */

	/* the window over the chunk */
	char	   *window;
	size_t		window_capacity;
	size_t		window_length;
	int64_t		window_offset;	/* in the file */
	int64_t		position;		/* in the file, of the next page */
	int64_t		chunk_end;

	/* the current page */
	int64_t		page_left;		/* entries */
	int			encoding;
	LevelDecoder definitions;
	LevelDecoder repetitions;
	const uint8_t *data;
	const uint8_t *data_end;
	uint64_t	bit;			/* of PLAIN booleans */
	HybridDecoder indexes;		/* into the dictionary; or booleans */
	DeltaDecoder deltas;		/* numbers, or the lengths of texts or of their suffixes */
	DeltaDecoder prefixes;
	char	   *previous;		/* of DELTA_BYTE_ARRAY: a copy of the value before */
	size_t		previous_capacity;
	uint32_t	previous_length;
	int64_t		split_count;	/* of BYTE_STREAM_SPLIT */
	int64_t		split_next;

	ParquetValue *dictionary;
	uint32_t	dictionary_size;
	Kept	   *dictionary_page;

	Kept	   *page;
	Kept	   *kept;			/* earlier pages and built values that the last call has returned
								 * values of */
	Kept	   *kept_before;	/* the same of calls before */
};

ParquetColumn *
parquet_column_create(ParquetFile *file, const ParquetNode *leaf)
{
	ParquetColumn *column = calloc(1, sizeof(ParquetColumn));

	if (column == NULL)
		parquet_fail(file, "out of memory");
	column->file = file;
	column->leaf = leaf;
	return column;
}

static void
free_kept(Kept **list)
{
	while (*list != NULL)
	{
		Kept	   *next = (*list)->next;

		free(*list);
		*list = next;
	}
}

void
parquet_column_free(ParquetColumn *column)
{
	free_kept(&column->page);
	free_kept(&column->kept);
	free_kept(&column->kept_before);
	free_kept(&column->dictionary_page);
	free(column->dictionary);
	free(column->previous);
	free(column->window);
	free(column);
}

static void
__attribute__((noreturn))
fail_damaged(ParquetColumn *column, const char *what)
{
	parquet_fail(column->file, "column \"%.63s\": %s", column->leaf->name, what);
}

static Kept *
keep(ParquetColumn *column, size_t size)
{
	Kept	   *kept = parquet_allocate(column->file, NULL, sizeof(Kept) + size + 8);

	kept->next = NULL;
	kept->size = size;
	/* decoders read whole words */
	memset(kept->bytes + size, 0, 8);
	return kept;
}

/* leaves memory to parquet_column_release() */
static void
keep_until_release(ParquetColumn *column, Kept **kept)
{
	if (*kept == NULL)
		return;
	column->file->kept_bytes += (*kept)->size;
	if (column->file->kept_bytes > PARQUET_MAX_KEPT)
		fail_damaged(column, "values of few rows have more than 512 MB");
	(*kept)->next = column->kept;
	column->kept = *kept;
	*kept = NULL;
}

/* memory for a value that is put together */
static char *
build_bytes(ParquetColumn *column, size_t size)
{
	Kept	   *kept = keep(column, size);
	char	   *bytes = kept->bytes;

	keep_until_release(column, &kept);
	return bytes;
}

void
parquet_column_release(ParquetColumn *column)
{
	free_kept(&column->kept_before);
}

void
parquet_column_begin(ParquetColumn *column, int group)
{
	const ParquetChunk *chunk = &column->file->groups[group].chunks[column->leaf->leaf];

	if (chunk->encrypted)
		fail_damaged(column, "column is encrypted");
	if (chunk->foreign)
		fail_damaged(column, "column is in another file");
	column->values_left = column->page_left = 0;
	if (chunk->values == 0)
		return;
	if (chunk->values < 0 || chunk->start < 4 || chunk->length < 0 || chunk->start > column->file->size ||
		chunk->length > column->file->size - chunk->start)
		fail_damaged(column, "column chunk does not lie in the file");
	column->codec = chunk->codec;
	column->values_left = chunk->values;
	column->position = chunk->start;
	column->chunk_end = chunk->start + chunk->length;
	if (column->file->size - column->chunk_end > LENGTH_SLACK)
		column->chunk_end += LENGTH_SLACK;
	column->window_length = 0;
	column->window_offset = chunk->start;
	column->dictionary_size = 0;
	keep_until_release(column, &column->page);
	keep_until_release(column, &column->dictionary_page);
}

ByteRange
parquet_column_range(const ParquetColumn *column)
{
	ByteRange	range = {column->position, 0};

	if (column->values_left > 0)
		range.length = column->chunk_end - column->position;
	return range;
}

/* n bytes of the chunk from its position on, or as many as there are */
static const char *
window_at(ParquetColumn *column, size_t n, size_t *available)
{
	size_t		skip = (size_t) (column->position - column->window_offset);
	size_t		rest = (size_t) (column->chunk_end - column->position);

	if (n > rest)
		n = rest;
	if (n > 0 && skip + n > column->window_length)
	{
		size_t		have = skip < column->window_length ? column->window_length - skip : 0;
		size_t		want = n < READ_AHEAD ? (rest < READ_AHEAD ? rest : READ_AHEAD) : n;

		if (want > column->window_capacity)
		{
			column->window = parquet_allocate(column->file, column->window, want);
			column->window_capacity = want;
		}
		if (have > 0)
			memmove(column->window, column->window + skip, have);
		column->window_offset = column->position;
		column->window_length = have;
		parquet_read_at(column->file, column->position + (int64_t) have, column->window + have, want - have);
		column->window_length = want;
		skip = 0;
	}
	*available = n;
	return n == 0 ? "" : column->window + skip;
}

/* ------- pages as they are stored ------- */

/* moves the position behind the header */
static PageHeader
read_header(ParquetColumn *column)
{
	for (size_t n = HEADER_BYTES;; n *= 4)
	{
		Thrift		thrift = {0};
		PageHeader	header;
		size_t		available;
		const char *bytes = window_at(column, n, &available);

		thrift.position = (const uint8_t *) bytes;
		thrift.end = thrift.position + available;
		header = parquet_page_header(&thrift);
		if (!thrift.failed)
		{
			column->position += (const char *) thrift.position - bytes;
			return header;
		}
		if (available < n || n > MAX_HEADER)
			fail_damaged(column, "header of a page is damaged");
	}
}

static void
check_header(ParquetColumn *column, const PageHeader *header)
{
	if (header->packed_size < 0 || header->packed_size > column->chunk_end - column->position)
		fail_damaged(column, "page does not lie in its column chunk");
	if (header->unpacked_size < 0 || header->unpacked_size > PARQUET_MAX_PAGE)
		fail_damaged(column, "page has more than 256 MB");
	if (header->values < 0)
		fail_damaged(column, "page has a negative number of values");
	if (header->definition_bytes < 0 || header->repetition_bytes < 0 ||
		header->definition_bytes > header->packed_size ||
		header->repetition_bytes > header->packed_size - header->definition_bytes ||
		header->definition_bytes + header->repetition_bytes > header->unpacked_size)
		fail_damaged(column, "levels do not lie in their page");
}

/* the page's bytes, unpacked; those of levels in version 2 are never packed */
static Kept *
unpack_page(ParquetColumn *column, const PageHeader *header)
{
	size_t		available;
	size_t		packed_size = (size_t) header->packed_size;
	size_t		size = (size_t) header->unpacked_size;
	size_t		levels = (size_t) (header->definition_bytes + header->repetition_bytes);
	const char *bytes = window_at(column, packed_size, &available);
	const char *unknown = NULL;
	Kept	   *page;

	if (header->has_crc &&
		(uint32_t) crc32(crc32(0, NULL, 0), (const Bytef *) bytes, (uInt) packed_size) != header->crc)
		fail_damaged(column, "checksum of a page is wrong");
	page = keep(column, size);
	memcpy(page->bytes, bytes, levels);
	/* a page without values may have no bytes at all, packed or not */
	if (packed_size - levels > 0 || size - levels > 0)
	{
		if (!parquet_unpack(header->packed ? column->codec : PARQUET_UNCOMPRESSED,
							bytes + levels, packed_size - levels,
							page->bytes + levels, size - levels, &unknown))
		{
			free(page);
			fail_damaged(column, unknown != NULL ? "pages are compressed by a codec that is not supported" :
						 "page cannot be unpacked");
		}
	}
	column->position += header->packed_size;
	return page;
}

/* ------- the parts of a page ------- */

static int
bits_for(int level)
{
	int			bits = 0;

	while (level >> bits != 0)
		bits++;
	return bits;
}

/* begins with the levels at the page's data, and moves that behind them */
static void
begin_levels(ParquetColumn *column, LevelDecoder *decoder, int max_level, int encoding,
			 int64_t bytes, bool v2, int64_t values)
{
	size_t		rest = (size_t) (column->data_end - column->data);
	size_t		size;

	memset(decoder, 0, sizeof(*decoder));
	decoder->bits = bits_for(max_level);
	decoder->constant = max_level == 0;
	if (v2)
		size = (size_t) bytes;
	else if (max_level == 0)
		return;
	else if (encoding == ENCODING_BIT_PACKED)
	{
		decoder->bit_packed = true;
		size = (size_t) ((values * decoder->bits + 7) / 8);
	}
	else if (encoding == ENCODING_RLE)
	{
		if (rest < 4)
			fail_damaged(column, "page ends in its levels");
		size = parquet_little_endian(column->data);
		column->data += 4;
		rest -= 4;
	}
	else
		fail_damaged(column, "levels have an encoding that is not supported");
	if (size > rest)
		fail_damaged(column, "page ends in its levels");
	decoder->bytes = column->data;
	decoder->size = size;
	if (!decoder->bit_packed)
		hybrid_begin(&decoder->hybrid, column->data, column->data + size, decoder->bits);
	column->data += size;
}

static void
read_bit_packed_levels(LevelDecoder *decoder, uint32_t *levels, int n)
{
	for (int i = 0; i < n; i++)
	{
		uint32_t	level = 0;

		for (int b = 0; b < decoder->bits; b++, decoder->bit++)
			level = level << 1 |
				((decoder->bytes[decoder->bit / 8] >> (7 - decoder->bit % 8)) & 1);
		levels[i] = level;
	}
}

static void
read_levels(ParquetColumn *column, LevelDecoder *decoder, int max_level, uint32_t *levels, int n)
{
	if (decoder->constant)
	{
		memset(levels, 0, sizeof(uint32_t) * (size_t) n);
		return;
	}
	if (decoder->bit_packed)
		read_bit_packed_levels(decoder, levels, n);
	else if (!hybrid_read(&decoder->hybrid, levels, (size_t) n))
		fail_damaged(column, "page ends in its levels");
	for (int i = 0; i < n; i++)
	{
		if (levels[i] > (uint32_t) max_level)
			fail_damaged(column, "level is higher than the schema allows");
	}
}

static bool
is_bytes(const ParquetNode *leaf)
{
	return leaf->physical == PARQUET_BYTE_ARRAY || leaf->physical == PARQUET_FIXED ||
		leaf->physical == PARQUET_INT96;
}

/* bytes of a value whose length is fixed; 0: it is not */
static size_t
fixed_size(const ParquetNode *leaf)
{
	switch (leaf->physical)
	{
		case PARQUET_INT32:
		case PARQUET_FLOAT:
			return 4;
		case PARQUET_INT64:
		case PARQUET_DOUBLE:
			return 8;
		case PARQUET_INT96:
			return 12;
		case PARQUET_FIXED:
			return (size_t) leaf->length;
		default:
			return 0;
	}
}

static void
begin_deltas(ParquetColumn *column, DeltaDecoder *decoder, const uint8_t *start, int64_t values)
{
	if (!delta_begin(decoder, start, column->data_end) || decoder->left > (uint64_t) values)
		fail_damaged(column, "page has damaged deltas");
}

/* begins with the values at the page's data */
static void
begin_values(ParquetColumn *column, int64_t values)
{
	const ParquetNode *leaf = column->leaf;
	size_t		size = (size_t) (column->data_end - column->data);
	bool		fits = false;

	/* nothing is left of the page before */
	memset(&column->indexes, 0, sizeof(column->indexes));
	memset(&column->deltas, 0, sizeof(column->deltas));
	memset(&column->prefixes, 0, sizeof(column->prefixes));
	switch (column->encoding)
	{
		case ENCODING_PLAIN:
			column->bit = 0;
			return;
		case ENCODING_PLAIN_DICTIONARY:
		case ENCODING_RLE_DICTIONARY:
			if (size == 0)		/* all are null */
				hybrid_begin(&column->indexes, column->data, column->data, 0);
			else if (column->data[0] > 32)
				fail_damaged(column, "page has indexes of more than 32 bits");
			else
				hybrid_begin(&column->indexes, column->data + 1, column->data_end, column->data[0]);
			return;
		case ENCODING_RLE:
			fits = leaf->physical == PARQUET_BOOLEAN;
			if (fits && size >= 4)
				hybrid_begin(&column->indexes, column->data + 4, column->data_end, 1);
			else if (fits)
				hybrid_begin(&column->indexes, column->data_end, column->data_end, 1);
			break;
		case ENCODING_DELTA_BINARY_PACKED:
			fits = leaf->physical == PARQUET_INT32 || leaf->physical == PARQUET_INT64;
			if (fits && size > 0)
				begin_deltas(column, &column->deltas, column->data, values);
			break;
		case ENCODING_DELTA_LENGTH_BYTE_ARRAY:
		case ENCODING_DELTA_BYTE_ARRAY:
			fits = leaf->physical == PARQUET_BYTE_ARRAY || leaf->physical == PARQUET_FIXED;
			if (fits && size > 0)
			{
				if (column->encoding == ENCODING_DELTA_BYTE_ARRAY)
				{
					begin_deltas(column, &column->prefixes, column->data, values);
					column->data = delta_end(column->prefixes);
				}
				if (column->data != NULL)
				{
					begin_deltas(column, &column->deltas, column->data, values);
					column->data = delta_end(column->deltas);
				}
				if (column->data == NULL)
					fail_damaged(column, "page has damaged deltas");
			}
			column->previous_length = 0;
			break;
		case ENCODING_BYTE_STREAM_SPLIT:
			fits = leaf->physical != PARQUET_BOOLEAN && fixed_size(leaf) > 0;
			column->split_next = 0;
			column->split_count = fits ? (int64_t) (size / fixed_size(leaf)) : 0;
			break;
		default:
			break;
	}
	if (!fits)
		parquet_fail(column->file, "column \"%.63s\": encoding %d of a page is not supported",
					 leaf->name, column->encoding);
}

static void
set_fixed(ParquetValue *value, const ParquetNode *leaf, const uint8_t *bytes)
{
	int32_t		small;
	float		single;

	value->null = false;
	switch (leaf->physical)
	{
		case PARQUET_INT32:
			memcpy(&small, bytes, 4);
			value->integer = leaf->is_unsigned ? (int64_t) (uint32_t) small : small;
			break;
		case PARQUET_INT64:
			memcpy(&value->integer, bytes, 8);
			break;
		case PARQUET_FLOAT:
			memcpy(&single, bytes, 4);
			value->number = single;
			break;
		case PARQUET_DOUBLE:
			memcpy(&value->number, bytes, 8);
			break;
		default:
			value->bytes = (const char *) bytes;
			value->length = (uint32_t) fixed_size(leaf);
			break;
	}
}

bool
parquet_column_bounds(const ParquetFile *file, const ParquetNode *leaf, int group,
					  ParquetValue *least, ParquetValue *greatest, int64_t *nulls)
{
	const ParquetChunk *chunk = &file->groups[group].chunks[leaf->leaf];

	if ((leaf->physical != PARQUET_INT32 && leaf->physical != PARQUET_INT64) ||
		chunk->bound_size != fixed_size(leaf))
		return false;
	set_fixed(least, leaf, chunk->least);
	set_fixed(greatest, leaf, chunk->greatest);
	*nulls = chunk->nulls;
	return least->integer <= greatest->integer;
}

/* reads n values of PLAIN, and moves the data behind them */
static void
read_plain(ParquetColumn *column, ParquetValue *values, int n)
{
	const ParquetNode *leaf = column->leaf;
	size_t		size = fixed_size(leaf);

	if (leaf->physical == PARQUET_BOOLEAN)
	{
		if ((column->bit + (uint64_t) n + 7) / 8 > (uint64_t) (column->data_end - column->data))
			fail_damaged(column, "page ends in its values");
		for (int i = 0; i < n; i++, column->bit++)
			values[i] = (ParquetValue) {.integer = (column->data[column->bit / 8] >> (column->bit % 8)) & 1};
		return;
	}
	if (size > 0)
	{
		if ((size_t) (column->data_end - column->data) / size < (size_t) n)
			fail_damaged(column, "page ends in its values");
		for (int i = 0; i < n; i++, column->data += size)
			set_fixed(&values[i], leaf, column->data);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		size_t		rest = (size_t) (column->data_end - column->data);
		uint32_t	length = rest >= 4 ? parquet_little_endian(column->data) : 0;

		if (rest < 4 || length > rest - 4)
			fail_damaged(column, "page ends in its values");
		values[i].null = false;
		values[i].bytes = (const char *) column->data + 4;
		values[i].length = length;
		column->data += 4 + length;
	}
}

static void
read_dictionary_values(ParquetColumn *column, ParquetValue *values, int n)
{
	uint32_t	indexes[256];

	while (n > 0)
	{
		int			some = n < 256 ? n : 256;

		if (!hybrid_read(&column->indexes, indexes, (size_t) some))
			fail_damaged(column, "page ends in its values");
		for (int i = 0; i < some; i++)
		{
			if (indexes[i] >= column->dictionary_size)
				fail_damaged(column, "page refers to a value that its dictionary does not have");
			values[i] = column->dictionary[indexes[i]];
		}
		values += some;
		n -= some;
	}
}

static void
read_booleans(ParquetColumn *column, ParquetValue *values, int n)
{
	uint32_t	bits[256];

	while (n > 0)
	{
		int			some = n < 256 ? n : 256;

		if (!hybrid_read(&column->indexes, bits, (size_t) some))
			fail_damaged(column, "page ends in its values");
		for (int i = 0; i < some; i++)
			values[i] = (ParquetValue) {.integer = bits[i]};
		values += some;
		n -= some;
	}
}

static void
read_delta_numbers(ParquetColumn *column, ParquetValue *values, int n)
{
	int64_t		numbers[256];

	while (n > 0)
	{
		int			some = n < 256 ? n : 256;

		if (!delta_read(&column->deltas, numbers, (size_t) some))
			fail_damaged(column, "page ends in its values");
		for (int i = 0; i < some; i++)
		{
			values[i] = (ParquetValue) {.integer = numbers[i]};
			if (column->leaf->physical == PARQUET_INT32)
				values[i].integer = column->leaf->is_unsigned ? (int64_t) (uint32_t) numbers[i] :
					(int32_t) (uint32_t) numbers[i];
		}
		values += some;
		n -= some;
	}
}

/* one text of DELTA_BYTE_ARRAY: the beginning of the one before, and a suffix */
static void
build_text(ParquetColumn *column, ParquetValue *value, int64_t prefix, int64_t suffix)
{
	char	   *bytes;

	if (prefix < 0 || prefix > column->previous_length || prefix + suffix > PARQUET_MAX_PAGE)
		fail_damaged(column, "value begins with more than the value before has");
	if ((size_t) (prefix + suffix) >= column->previous_capacity)
	{
		column->previous_capacity = (size_t) (prefix + suffix) * 2 + 64;
		column->previous = parquet_allocate(column->file, column->previous, column->previous_capacity);
	}
	memcpy(column->previous + prefix, column->data, (size_t) suffix);
	column->previous_length = (uint32_t) (prefix + suffix);
	bytes = build_bytes(column, column->previous_length);
	memcpy(bytes, column->previous, column->previous_length);
	value->bytes = bytes;
	value->length = column->previous_length;
}

static void
read_delta_texts(ParquetColumn *column, ParquetValue *values, int n)
{
	int64_t		lengths[256];
	int64_t		prefixes[256];
	bool		has_prefixes = column->encoding == ENCODING_DELTA_BYTE_ARRAY;

	while (n > 0)
	{
		int			some = n < 256 ? n : 256;

		if (!delta_read(&column->deltas, lengths, (size_t) some) ||
			(has_prefixes && !delta_read(&column->prefixes, prefixes, (size_t) some)))
			fail_damaged(column, "page ends in its values");
		for (int i = 0; i < some; i++)
		{
			if (lengths[i] < 0 || lengths[i] > column->data_end - column->data)
				fail_damaged(column, "page ends in its values");
			values[i] = (ParquetValue) {.bytes = (const char *) column->data, .length = (uint32_t) lengths[i]};
			if (has_prefixes)
				build_text(column, &values[i], prefixes[i], lengths[i]);
			column->data += lengths[i];
			if (column->leaf->physical == PARQUET_FIXED && values[i].length != (uint32_t) column->leaf->length)
				fail_damaged(column, "value of another length than its column's");
		}
		values += some;
		n -= some;
	}
}

/* byte k of all values, one after the other, for each k */
static void
read_split(ParquetColumn *column, ParquetValue *values, int n)
{
	size_t		size = fixed_size(column->leaf);
	uint8_t		small[16];

	if (n > column->split_count - column->split_next)
		fail_damaged(column, "page ends in its values");
	for (int i = 0; i < n; i++, column->split_next++)
	{
		uint8_t    *bytes = small;

		if (is_bytes(column->leaf))
			bytes = (uint8_t *) build_bytes(column, size);
		for (size_t k = 0; k < size; k++)
			bytes[k] = column->data[k * (size_t) column->split_count + (size_t) column->split_next];
		set_fixed(&values[i], column->leaf, bytes);
	}
}

static void
read_values(ParquetColumn *column, ParquetValue *values, int n)
{
	switch (column->encoding)
	{
		case ENCODING_PLAIN:
			read_plain(column, values, n);
			break;
		case ENCODING_PLAIN_DICTIONARY:
		case ENCODING_RLE_DICTIONARY:
			read_dictionary_values(column, values, n);
			break;
		case ENCODING_RLE:
			read_booleans(column, values, n);
			break;
		case ENCODING_DELTA_BINARY_PACKED:
			read_delta_numbers(column, values, n);
			break;
		case ENCODING_BYTE_STREAM_SPLIT:
			read_split(column, values, n);
			break;
		default:
			read_delta_texts(column, values, n);
			break;
	}
}

/* ------- pages ------- */

static void
read_dictionary(ParquetColumn *column, const PageHeader *header)
{
	if (header->encoding != ENCODING_PLAIN && header->encoding != ENCODING_PLAIN_DICTIONARY)
		fail_damaged(column, "dictionary has an encoding that is not supported");
	if (column->dictionary_page != NULL)
		fail_damaged(column, "column chunk has two dictionaries");
	column->dictionary_page = unpack_page(column, header);
	/* a value takes four bytes at least, but for booleans, of which there are two */
	if (header->values > header->unpacked_size + 2)
		fail_damaged(column, "dictionary has more values than bytes");
	column->dictionary = parquet_allocate(column->file, column->dictionary,
										  sizeof(ParquetValue) * (size_t) header->values);
	column->data = (const uint8_t *) column->dictionary_page->bytes;
	column->data_end = column->data + header->unpacked_size;
	column->bit = 0;
	read_plain(column, column->dictionary, (int) header->values);
	column->dictionary_size = (uint32_t) header->values;
}

static void
begin_page(ParquetColumn *column, const PageHeader *header)
{
	bool		v2 = header->type == PAGE_DATA_V2;

	if (header->values > column->values_left)
		fail_damaged(column, "column chunk has more values than it says");
	keep_until_release(column, &column->page);
	column->page = unpack_page(column, header);
	column->data = (const uint8_t *) column->page->bytes;
	column->data_end = column->data + header->unpacked_size;
	column->encoding = header->encoding;
	column->page_left = header->values;
	column->values_left -= header->values;
	begin_levels(column, &column->repetitions, column->leaf->repeated, header->repetition_encoding,
				 header->repetition_bytes, v2, header->values);
	begin_levels(column, &column->definitions, column->leaf->definition, header->definition_encoding,
				 header->definition_bytes, v2, header->values);
	begin_values(column, header->values);
}

/* false: the chunk has no more pages with entries */
static bool
next_page(ParquetColumn *column)
{
	while (column->page_left == 0)
	{
		PageHeader	header;

		if (column->values_left == 0)
			return false;
		if (column->position >= column->chunk_end)
			fail_damaged(column, "column chunk ends before its last value");
		header = read_header(column);
		check_header(column, &header);
		if (header.type == PAGE_DICTIONARY)
			read_dictionary(column, &header);
		else if (header.type == PAGE_DATA || header.type == PAGE_DATA_V2)
			begin_page(column, &header);
		else
			column->position += header.packed_size;
	}
	return true;
}

int
parquet_column_read(ParquetColumn *column, int n, uint32_t *definitions, uint32_t *repetitions,
					ParquetValue *values, int *n_values)
{
	int			done = 0;
	Kept	  **last = &column->kept_before;

	while (*last != NULL)
		last = &(*last)->next;
	*last = column->kept;
	column->kept = NULL;
	*n_values = 0;
	while (done < n && next_page(column))
	{
		int			some = column->page_left < n - done ? (int) column->page_left : n - done;
		int			present = 0;

		read_levels(column, &column->repetitions, column->leaf->repeated, repetitions + done, some);
		read_levels(column, &column->definitions, column->leaf->definition, definitions + done, some);
		for (int i = 0; i < some; i++)
			present += definitions[done + i] == (uint32_t) column->leaf->definition;
		read_values(column, values + *n_values, present);
		*n_values += present;
		column->page_left -= some;
		done += some;
	}
	return done;
}

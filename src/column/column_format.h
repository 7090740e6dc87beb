/*-------------------------------------------------------------------------
 *
 * column_format.h
 *		The pages of a column index.
 *
 * Block 0 has the root, block 1 the list of free pages.  A map page has the entries of
 * some row groups, and the marks of their blocks.  All other pages belong to extents.  An extent is one
 * version of one row group: a header, and the chunks of the columns.  A page of
 * an extent is written once.
 *
 * A row group is COLUMN_GROUP_BLOCKS blocks of the heap.  Within it, rows have
 * numbers from 0 on, in the order of their blocks and line pointers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_FORMAT_H
#define SPICE_COLUMN_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

/* An index of another number covers nothing, and takes nothing but REINDEX. */
#define COLUMN_FORMAT 1
#define COLUMN_MAGIC 0x53504943u

#define COLUMN_ROOT_BLOCK 0
#define COLUMN_FREE_BLOCK 1

#define COLUMN_GROUP_BLOCKS 1024
#define COLUMN_MARK_BYTES (COLUMN_GROUP_BLOCKS / 8)

/* as core's page has it: contents behind the header, and our stamp at the end */
#define COLUMN_PAGE_HEADER 24
#define COLUMN_PAGE_STAMP 16
#define COLUMN_PAGE_BYTES (8192 - COLUMN_PAGE_HEADER - COLUMN_PAGE_STAMP)

/* Says which page of which extent this is, so that a reader sees a page that was given away. */
typedef struct ColumnStamp
{
	uint32_t	magic;
	uint32_t	group;
	uint32_t	version;
	uint32_t	page;			/* of the extent, from 0 on */
} ColumnStamp;

typedef struct ColumnEntry
{
	uint32_t	first;			/* block of the extent; 0: the group is not covered */
	uint32_t	pages;
	uint32_t	version;
	uint32_t	blocks;			/* of the heap, that the extent was made from */
	uint32_t	covering;		/* marks are left in next_marks, too */
	uint8_t		marks[COLUMN_MARK_BYTES];
	uint8_t		next_marks[COLUMN_MARK_BYTES];
} ColumnEntry;

#define COLUMN_MAP_ENTRIES ((int) (COLUMN_PAGE_BYTES / sizeof(ColumnEntry)))
#define COLUMN_MAPS 1990

typedef struct ColumnRoot
{
	uint32_t	magic;
	uint32_t	format;
	uint32_t	groups;			/* that have an entry: insertions into their blocks leave marks */
	uint32_t	end;			/* first block behind all extents and maps */
	uint32_t	maps[COLUMN_MAPS];	/* blocks of the map pages; 0: there is none yet */
} ColumnRoot;

typedef struct ColumnFreeRange
{
	uint64_t	since;			/* full transaction id: a snapshot that is older may read the
								 * pages */
	uint32_t	first;
	uint32_t	pages;
} ColumnFreeRange;

#define COLUMN_FREE_RANGES 500

typedef struct ColumnFreeList
{
	uint32_t	count;
	uint32_t	unused;
	ColumnFreeRange ranges[COLUMN_FREE_RANGES];
} ColumnFreeList;

typedef enum ColumnEncoding
{
	COLUMN_ABSENT,				/* not kept: the group's blocks are read from the heap */
	COLUMN_INTEGER,				/* base + value * factor; width 0, 1, 2, 4 or 8 */
	COLUMN_FLOAT,				/* width 4 or 8, as the type has it */
	COLUMN_CODE,				/* numbers of dictionary entries; width 1 or 2 */
	COLUMN_BYTES				/* offsets of width 4 into the bytes */
} ColumnEncoding;

/*
 * A column of an extent.  Each of its areas begins with a page: values, null bits,
 * offsets of dictionary entries, bytes of strings.  Pages are counted from the
 * extent's first.
 */
typedef struct ColumnChunk
{
	uint8_t		encoding;
	uint8_t		width;
	uint8_t		has_range;		/* minimum and maximum are those of the values that are not null */
	uint8_t		has_nan;		/* floats: beside the range */
	int32_t		scale;			/* numeric: decimal digits of the integers; -1: no numeric */
	uint32_t	nulls;
	uint32_t	entries;		/* of the dictionary */
	uint32_t	bytes;			/* of all strings */
	uint32_t	value_page;
	uint32_t	null_page;
	uint32_t	offset_page;
	uint32_t	byte_page;
	uint32_t	unused;
	int64_t		base;
	int64_t		factor;
	union
	{
		int64_t		integer;
		double		number;
	}			minimum,
				maximum;
} ColumnChunk;

/*
 * The header area: this, the chunks, and for each block a ColumnBlock; then the line
 * pointers of the rows of blocks that say so.
 */
typedef struct ColumnHeader
{
	uint32_t	rows;
	uint32_t	blocks;
	uint32_t	columns;
	uint32_t	offsets;
} ColumnHeader;

typedef struct ColumnBlock
{
	uint16_t	rows;
	uint16_t	last_offset;	/* of any line pointer that the block had */
	uint16_t	has_offsets;	/* its rows' line pointers are not 1, 2, 3, ... */
	uint16_t	unused;
} ColumnBlock;

#endif

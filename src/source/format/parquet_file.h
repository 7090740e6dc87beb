/*-------------------------------------------------------------------------
 *
 * parquet_file.h
 *		A Parquet file's footer: its schema, row groups and column chunks.
 *
 * Includes no server header.  Errors leave by a jump to the file's "escape",
 * which each external function of parquet_reader.c sets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_FILE_H
#define SPICE_PARQUET_FILE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest/arena.h"
#include "source/format/byte_range.h"

#define PARQUET_MAX_PAGE	(256 * 1024 * 1024) /* bytes of one page, unpacked */
#define PARQUET_MAX_KEPT	(512 * 1024 * 1024) /* bytes that the values of a batch of rows point
												 * into */
#define PARQUET_MAX_DEPTH	64	/* levels of a schema */

/* physical types, as the format numbers them */
typedef enum ParquetPhysical
{
	PARQUET_BOOLEAN = 0,
	PARQUET_INT32 = 1,
	PARQUET_INT64 = 2,
	PARQUET_INT96 = 3,
	PARQUET_FLOAT = 4,
	PARQUET_DOUBLE = 5,
	PARQUET_BYTE_ARRAY = 6,
	PARQUET_FIXED = 7
} ParquetPhysical;

/* what the values of a leaf mean, whichever way the file says it */
typedef enum ParquetMeaning
{
	PARQUET_PLAIN_VALUE,		/* the physical type itself */
	PARQUET_TEXT,
	PARQUET_JSON,
	PARQUET_INTEGER,			/* of bits, signed or not */
	PARQUET_DECIMAL,			/* of precision and scale */
	PARQUET_DATE,
	PARQUET_TIME,				/* of unit */
	PARQUET_TIMESTAMP,			/* of unit, with a zone or not */
	PARQUET_INTERVAL,
	PARQUET_UUID,
	PARQUET_FLOAT16,
	PARQUET_ALWAYS_NULL
} ParquetMeaning;

/* units of a time, by how many there are in a second */
#define PARQUET_MILLIS	1000
#define PARQUET_MICROS	1000000
#define PARQUET_NANOS	1000000000

typedef enum ParquetRepetition
{
	PARQUET_REQUIRED = 0,
	PARQUET_OPTIONAL = 1,
	PARQUET_REPEATED = 2
} ParquetRepetition;

typedef enum ParquetGroup
{
	PARQUET_STRUCT,
	PARQUET_LIST,				/* one repeated child, which is or holds the element */
	PARQUET_MAP					/* one repeated child of key and value */
} ParquetGroup;

/* a node of the schema; a leaf has a column */
typedef struct ParquetNode
{
	const char *name;
	ParquetRepetition repetition;
	int			definition;		/* the level at which it is there */
	int			repeated;		/* how many repeated nodes there are down to it */
	struct ParquetNode **children;
	int			n_children;
	ParquetGroup group;			/* of a node with children */
	int			leaf;			/* its column's number; -1: it has children */
	int			first_leaf;		/* the number of the first column below it */
	int			n_leaves;

	/* of a leaf */
	ParquetPhysical physical;
	int			length;			/* of PARQUET_FIXED */
	ParquetMeaning meaning;
	int			bits;			/* of PARQUET_INTEGER */
	bool		is_unsigned;
	int			precision;
	int			scale;
	int			unit;
	bool		utc;
} ParquetNode;

typedef struct ParquetChunk
{
	int			codec;
	int64_t		values;
	int64_t		start;			/* of its first page */
	int64_t		length;			/* of all of its pages, as they are stored */
	bool		encrypted;
	bool		foreign;		/* in another file */
	int64_t		nulls;			/* -1: not known */
	size_t		bound_size;		/* bytes of each of the bounds; 0: they are not known */
	uint8_t		least[8];		/* of the values, as a page has them */
	uint8_t		greatest[8];
} ParquetChunk;

typedef struct ParquetRowGroup
{
	int64_t		rows;
	ParquetChunk *chunks;		/* by leaf */
} ParquetRowGroup;

/* reads length bytes at offset; false: the caller's error, which it keeps */
typedef bool (*ParquetRead) (void *arg, int64_t offset, void *buffer, size_t length);

typedef struct ParquetFile
{
	ParquetRead read;
	/* these ranges are read next: the wanted chunks of a row group; or NULL */
	void		(*expect) (void *arg, const ByteRange *ranges, int n);
	void	   *arg;
	int64_t		size;
	Arena		arena;
	jmp_buf		escape;
	bool		read_failed;	/* the caller's error is the cause */
	char		message[256];	/* lower case, no full stop */
	size_t		kept_bytes;		/* that the values of this batch of rows point into */

	int64_t		rows;
	ParquetNode *root;
	ParquetNode **leaves;
	int			n_leaves;
	ParquetRowGroup *groups;
	int			n_groups;
} ParquetFile;

/* notes the error and jumps to the file's escape */
extern void parquet_fail(ParquetFile *file, const char *format,...)
			__attribute__((format(printf, 2, 3), noreturn));

extern void parquet_read_at(ParquetFile *file, int64_t offset, void *buffer, size_t length);

/* reads the footer; read, arg and size are set */
extern void parquet_read_footer(ParquetFile *file);

/* memory of the process; out of memory is an error of the file's */
extern void *parquet_allocate(ParquetFile *file, void *old, size_t size);

/* the number that four bytes of the file stand for */
static inline uint32_t
parquet_little_endian(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
}

#endif

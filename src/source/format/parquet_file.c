/*-------------------------------------------------------------------------
 *
 * parquet_file.c
 *		Reads a Parquet file's footer.
 *
 * The schema is a list of nodes in depth-first order, from which a tree is
 * made.  A file written before logical types existed says with a "converted
 * type" what its values mean, and marks lists and maps in several ways; the
 * rules for these are those of the format's specification, "Backward
 * compatibility".
 *
 * Source: the Apache Parquet format, parquet.thrift and LogicalTypes.md.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/format/parquet_thrift.h"

#define TAIL_SIZE	8			/* length of the footer and "PAR1" */
#define MAX_FOOTER	(64 * 1024 * 1024)
#define MAX_NODES	65536		/* of a schema */
#define MAX_CHUNKS	2000000		/* of a file: row groups by columns */

/* converted types, as the format numbers them */
enum
{
	CONVERTED_UTF8 = 0, CONVERTED_MAP = 1, CONVERTED_MAP_KEY_VALUE = 2, CONVERTED_LIST = 3,
	CONVERTED_ENUM = 4, CONVERTED_DECIMAL = 5, CONVERTED_DATE = 6, CONVERTED_TIME_MILLIS = 7,
	CONVERTED_TIME_MICROS = 8, CONVERTED_TIMESTAMP_MILLIS = 9, CONVERTED_TIMESTAMP_MICROS = 10,
	CONVERTED_UINT_8 = 11, CONVERTED_INT_64 = 18, CONVERTED_JSON = 19, CONVERTED_BSON = 20,
	CONVERTED_INTERVAL = 21
};

/* logical types, by their field in the union */
enum
{
	LOGICAL_STRING = 1, LOGICAL_MAP = 2, LOGICAL_LIST = 3, LOGICAL_ENUM = 4, LOGICAL_DECIMAL = 5,
	LOGICAL_DATE = 6, LOGICAL_TIME = 7, LOGICAL_TIMESTAMP = 8, LOGICAL_INTEGER = 10,
	LOGICAL_UNKNOWN = 11, LOGICAL_JSON = 12, LOGICAL_UUID = 14, LOGICAL_FLOAT16 = 15,
	LOGICAL_VARIANT = 16
};

/* one element of the schema's list */
typedef struct SchemaElement
{
	bool		has_type;
	int			type;
	int			type_length;
	int			repetition;
	const char *name;
	int64_t		n_children;
	int			converted;		/* -1: none */
	int			logical;		/* 0: none */
	int			scale;
	int			precision;
	int			unit;
	bool		utc;
	int			bits;
	bool		is_signed;
} SchemaElement;

typedef struct Schema
{
	ParquetFile *file;
	SchemaElement *elements;
	uint32_t	n_elements;
	uint32_t	next;
} Schema;

void
parquet_fail(ParquetFile *file, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(file->message, sizeof(file->message), format, args);
	va_end(args);
	longjmp(file->escape, 1);
}

void *
parquet_allocate(ParquetFile *file, void *old, size_t size)
{
	void	   *memory = realloc(old, size > 0 ? size : 1);

	if (memory == NULL)
		parquet_fail(file, "out of memory");
	return memory;
}

void
parquet_read_at(ParquetFile *file, int64_t offset, void *buffer, size_t length)
{
	if (offset < 0 || (uint64_t) length > (uint64_t) file->size || offset > file->size - (int64_t) length)
		parquet_fail(file, "file ends before byte %llu", (unsigned long long) offset + length);
	if (length > 0 && !file->read(file->arg, offset, buffer, length))
	{
		file->read_failed = true;
		parquet_fail(file, "file cannot be read");
	}
}

/* ------- the schema ------- */

static int
read_unit(Thrift *thrift)
{
	ThriftField field;
	int16_t		last = 0;
	int			unit = PARQUET_MICROS;

	while (thrift_field(thrift, &last, &field))
	{
		unit = field.id == 1 ? PARQUET_MILLIS : field.id == 2 ? PARQUET_MICROS : PARQUET_NANOS;
		thrift_skip(thrift, field.type);
	}
	return unit;
}

/* the fields of a logical type that has some: decimal, time, timestamp, integer */
static void
read_logical_fields(Thrift *thrift, SchemaElement *element)
{
	ThriftField field;
	int16_t		last = 0;

	while (thrift_field(thrift, &last, &field))
	{
		if (element->logical == LOGICAL_DECIMAL && field.id == 1)
			element->scale = (int) thrift_integer(thrift, field.type);
		else if (element->logical == LOGICAL_DECIMAL && field.id == 2)
			element->precision = (int) thrift_integer(thrift, field.type);
		else if (element->logical == LOGICAL_INTEGER && field.id == 1)
			element->bits = (int) thrift_integer(thrift, field.type);
		else if (element->logical == LOGICAL_INTEGER && field.id == 2)
			element->is_signed = thrift_integer(thrift, field.type) != 0;
		else if (element->logical != LOGICAL_VARIANT && field.id == 1)
			element->utc = thrift_integer(thrift, field.type) != 0;
		else if (field.id == 2 && thrift_is_struct(thrift, field.type))
			element->unit = read_unit(thrift);
		else if (field.id != 2)
			thrift_skip(thrift, field.type);
	}
}

static void
read_logical(Thrift *thrift, SchemaElement *element)
{
	ThriftField field;
	int16_t		last = 0;

	while (thrift_field(thrift, &last, &field))
	{
		element->logical = field.id;
		if (thrift_is_struct(thrift, field.type))
			read_logical_fields(thrift, element);
	}
}

static SchemaElement
read_element(ParquetFile *file, Thrift *thrift)
{
	SchemaElement element = {.converted = -1, .name = ""};
	ThriftField field;
	int16_t		last = 0;
	size_t		length;

	while (thrift_field(thrift, &last, &field))
	{
		switch (field.id)
		{
			case 1:
				element.has_type = true;
				element.type = (int) thrift_integer(thrift, field.type);
				break;
			case 2:
				element.type_length = (int) thrift_integer(thrift, field.type);
				break;
			case 3:
				element.repetition = (int) thrift_integer(thrift, field.type);
				break;
			case 4:
				element.name = thrift_binary(thrift, field.type, &length);
				element.name = arena_strndup(&file->arena, element.name, length);
				break;
			case 5:
				element.n_children = thrift_integer(thrift, field.type);
				break;
			case 6:
				element.converted = (int) thrift_integer(thrift, field.type);
				break;
			case 7:
				element.scale = (int) thrift_integer(thrift, field.type);
				break;
			case 8:
				element.precision = (int) thrift_integer(thrift, field.type);
				break;
			case 10:
				if (thrift_is_struct(thrift, field.type))
					read_logical(thrift, &element);
				break;
			default:
				thrift_skip(thrift, field.type);
				break;
		}
	}
	return element;
}

/* what a converted type says, as the logical type that took its place */
static void
translate_converted(SchemaElement *element)
{
	int			converted = element->converted;

	if (element->logical != 0 || converted < 0)
		return;
	element->utc = true;
	if (converted >= CONVERTED_UINT_8 && converted <= CONVERTED_INT_64)
	{
		element->logical = LOGICAL_INTEGER;
		element->is_signed = converted >= CONVERTED_UINT_8 + 4;
		element->bits = 8 << ((converted - CONVERTED_UINT_8) % 4);
		return;
	}
	switch (converted)
	{
		case CONVERTED_UTF8:
			element->logical = LOGICAL_STRING;
			break;
		case CONVERTED_ENUM:
			element->logical = LOGICAL_ENUM;
			break;
		case CONVERTED_DECIMAL:
			element->logical = LOGICAL_DECIMAL;
			break;
		case CONVERTED_DATE:
			element->logical = LOGICAL_DATE;
			break;
		case CONVERTED_TIME_MILLIS:
		case CONVERTED_TIME_MICROS:
			element->logical = LOGICAL_TIME;
			element->unit = converted == CONVERTED_TIME_MILLIS ? PARQUET_MILLIS : PARQUET_MICROS;
			break;
		case CONVERTED_TIMESTAMP_MILLIS:
		case CONVERTED_TIMESTAMP_MICROS:
			element->logical = LOGICAL_TIMESTAMP;
			element->unit = converted == CONVERTED_TIMESTAMP_MILLIS ? PARQUET_MILLIS : PARQUET_MICROS;
			break;
		case CONVERTED_JSON:
			element->logical = LOGICAL_JSON;
			break;
		case CONVERTED_LIST:
			element->logical = LOGICAL_LIST;
			break;
		case CONVERTED_MAP:
		case CONVERTED_MAP_KEY_VALUE:
			element->logical = LOGICAL_MAP;
			break;
		default:
			break;
	}
}

static bool
is_bytes(const ParquetNode *node)
{
	return node->physical == PARQUET_BYTE_ARRAY || node->physical == PARQUET_FIXED;
}

static bool
is_whole_number(const ParquetNode *node)
{
	return node->physical == PARQUET_INT32 || node->physical == PARQUET_INT64;
}

/* A logical type counts only on a physical type that can carry it. */
static ParquetMeaning
leaf_meaning(ParquetNode *node, const SchemaElement *element)
{
	switch (element->logical)
	{
		case LOGICAL_STRING:
		case LOGICAL_ENUM:
			return is_bytes(node) ? PARQUET_TEXT : PARQUET_PLAIN_VALUE;
		case LOGICAL_JSON:
			return is_bytes(node) ? PARQUET_JSON : PARQUET_PLAIN_VALUE;
		case LOGICAL_DECIMAL:
			return is_bytes(node) || is_whole_number(node) ? PARQUET_DECIMAL : PARQUET_PLAIN_VALUE;
		case LOGICAL_DATE:
			return node->physical == PARQUET_INT32 ? PARQUET_DATE : PARQUET_PLAIN_VALUE;
		case LOGICAL_TIME:
			return is_whole_number(node) ? PARQUET_TIME : PARQUET_PLAIN_VALUE;
		case LOGICAL_TIMESTAMP:
			return node->physical == PARQUET_INT64 ? PARQUET_TIMESTAMP : PARQUET_PLAIN_VALUE;
		case LOGICAL_INTEGER:
			return is_whole_number(node) ? PARQUET_INTEGER : PARQUET_PLAIN_VALUE;
		case LOGICAL_UUID:
			return node->physical == PARQUET_FIXED && node->length == 16 ? PARQUET_UUID : PARQUET_PLAIN_VALUE;
		case LOGICAL_FLOAT16:
			return node->physical == PARQUET_FIXED && node->length == 2 ? PARQUET_FLOAT16 : PARQUET_PLAIN_VALUE;
		case LOGICAL_UNKNOWN:
			return PARQUET_ALWAYS_NULL;
		default:
			if (element->converted == CONVERTED_INTERVAL && node->physical == PARQUET_FIXED && node->length == 12)
				return PARQUET_INTERVAL;
			return PARQUET_PLAIN_VALUE;
	}
}

static void
describe_leaf(Schema *schema, ParquetNode *node, const SchemaElement *element)
{
	ParquetFile *file = schema->file;

	if (element->type < PARQUET_BOOLEAN || element->type > PARQUET_FIXED)
		parquet_fail(file, "column \"%.63s\" is of an unknown physical type (%d)", node->name, element->type);
	node->physical = element->type;
	node->length = element->type_length;
	if (node->physical == PARQUET_FIXED && (node->length <= 0 || node->length > PARQUET_MAX_PAGE))
		parquet_fail(file, "column \"%.63s\" has values of %d bytes", node->name, node->length);
	node->meaning = leaf_meaning(node, element);
	node->scale = element->scale;
	node->precision = element->precision;
	node->unit = element->unit == 0 ? PARQUET_MILLIS : element->unit;
	node->utc = element->utc;
	node->bits = element->bits;
	node->is_unsigned = node->meaning == PARQUET_INTEGER && !element->is_signed;
	if (node->meaning == PARQUET_DECIMAL &&
		(node->scale < 0 || node->precision <= 0 || node->scale > node->precision || node->precision > 1000))
		parquet_fail(file, "column \"%.63s\" is a decimal of precision %d and scale %d",
					 node->name, node->precision, node->scale);
	if (node->meaning == PARQUET_PLAIN_VALUE && is_whole_number(node))
	{
		node->meaning = PARQUET_INTEGER;
		node->bits = node->physical == PARQUET_INT32 ? 32 : 64;
	}
	node->leaf = file->n_leaves++;
	node->first_leaf = node->leaf;
	node->n_leaves = 1;
	file->leaves[node->leaf] = node;
}

/*
 * A list has one repeated child.  A map has one, too, with two children.  A node that
 * says so and is made otherwise is read as a struct.
 */
static ParquetGroup
group_kind(const ParquetNode *node, int logical)
{
	const ParquetNode *child = node->children[0];

	if (node->n_children != 1 || child->repetition != PARQUET_REPEATED)
		return PARQUET_STRUCT;
	if (logical == LOGICAL_LIST)
		return PARQUET_LIST;
	if (logical == LOGICAL_MAP && (child->n_children == 1 || child->n_children == 2) &&
		child->children[0]->repetition != PARQUET_REPEATED)
		return PARQUET_MAP;
	return PARQUET_STRUCT;
}

static ParquetNode *
build_node(Schema *schema, const ParquetNode *parent, int depth)
{
	ParquetFile *file = schema->file;
	ParquetNode *node = arena_alloc(&file->arena, sizeof(ParquetNode));
	SchemaElement *element;

	if (schema->next >= schema->n_elements || depth > PARQUET_MAX_DEPTH)
		parquet_fail(file, "schema is not a tree of at most %d levels", PARQUET_MAX_DEPTH);
	element = &schema->elements[schema->next++];
	translate_converted(element);
	node->name = element->name;
	node->leaf = -1;
	node->repetition = parent == NULL ? PARQUET_REQUIRED : (ParquetRepetition) element->repetition;
	if (element->repetition < PARQUET_REQUIRED || element->repetition > PARQUET_REPEATED)
		parquet_fail(file, "column \"%.63s\" has an unknown repetition (%d)", node->name, element->repetition);
	node->definition = (parent == NULL ? 0 : parent->definition) + (node->repetition != PARQUET_REQUIRED);
	node->repeated = (parent == NULL ? 0 : parent->repeated) + (node->repetition == PARQUET_REPEATED);
	if (element->has_type && element->n_children == 0)
	{
		describe_leaf(schema, node, element);
		return node;
	}
	if (element->n_children < 0 || element->n_children > (int64_t) schema->n_elements ||
		(element->n_children == 0 && parent != NULL))
		parquet_fail(file, "column \"%.63s\" has %lld children", node->name, (long long) element->n_children);
	node->n_children = (int) element->n_children;
	node->children = arena_alloc(&file->arena, sizeof(ParquetNode *) * (size_t) (node->n_children + 1));
	node->first_leaf = file->n_leaves;
	for (int i = 0; i < node->n_children; i++)
		node->children[i] = build_node(schema, node, depth + 1);
	node->n_leaves = file->n_leaves - node->first_leaf;
	if (node->n_children > 0)
		node->group = group_kind(node, element->logical);
	return node;
}

static void
read_schema(ParquetFile *file, Thrift *thrift, ThriftType type)
{
	ThriftType	element_type;
	Schema		schema = {.file = file};

	schema.n_elements = thrift_list(thrift, type, &element_type);
	if (schema.n_elements == 0 || element_type != THRIFT_STRUCT || file->root != NULL)
		parquet_fail(file, "footer has no schema");
	if (schema.n_elements > MAX_NODES)
		parquet_fail(file, "schema has %u nodes; the limit is %d", schema.n_elements, MAX_NODES);
	schema.elements = arena_alloc(&file->arena, sizeof(SchemaElement) * schema.n_elements);
	for (uint32_t i = 0; i < schema.n_elements && !thrift->failed; i++)
		schema.elements[i] = read_element(file, thrift);
	if (thrift->failed)
		return;
	file->leaves = arena_alloc(&file->arena, sizeof(ParquetNode *) * schema.n_elements);
	file->root = build_node(&schema, NULL, 0);
	if (schema.next != schema.n_elements)
		parquet_fail(file, "schema has nodes that belong to no column");
}

/* ------- row groups ------- */

/* Reads a bound; returns its size, 0 when it is none that the chunk keeps. */
static size_t
read_bound(Thrift *thrift, ThriftType type, uint8_t *bound)
{
	size_t		length;
	const char *bytes = thrift_binary(thrift, type, &length);

	if (length != 4 && length != 8)
		return 0;
	memcpy(bound, bytes, length);
	return length;
}

/*
 * Takes bounds in the order that the column's type has.  Older fields say nothing about the
 * order, and a bound that is not exact may be of a text that was cut; neither is trusted.
 */
static void
read_statistics(Thrift *thrift, ParquetChunk *chunk)
{
	ThriftField field;
	int16_t		last = 0;
	size_t		least = 0;
	size_t		greatest = 0;
	bool		exact = true;

	while (thrift_field(thrift, &last, &field))
	{
		if (field.id == 3)
			chunk->nulls = thrift_integer(thrift, field.type);
		else if (field.id == 5)
			greatest = read_bound(thrift, field.type, chunk->greatest);
		else if (field.id == 6)
			least = read_bound(thrift, field.type, chunk->least);
		else if (field.id == 7 || field.id == 8)
			exact = thrift_integer(thrift, field.type) != 0 && exact;
		else
			thrift_skip(thrift, field.type);
	}
	chunk->bound_size = exact && least == greatest ? least : 0;
}

static ParquetChunk
read_chunk_metadata(Thrift *thrift)
{
	ParquetChunk chunk = {.nulls = -1};
	ThriftField field;
	int16_t		last = 0;
	int64_t		data = 0;
	int64_t		dictionary = 0;

	while (thrift_field(thrift, &last, &field))
	{
		switch (field.id)
		{
			case 4:
				chunk.codec = (int) thrift_integer(thrift, field.type);
				break;
			case 5:
				chunk.values = thrift_integer(thrift, field.type);
				break;
			case 7:
				chunk.length = thrift_integer(thrift, field.type);
				break;
			case 9:
				data = thrift_integer(thrift, field.type);
				break;
			case 11:
				dictionary = thrift_integer(thrift, field.type);
				break;
			case 12:
				if (thrift_is_struct(thrift, field.type))
					read_statistics(thrift, &chunk);
				break;
			default:
				thrift_skip(thrift, field.type);
				break;
		}
	}
	/* Some writers say 0 where there is no dictionary. */
	chunk.start = dictionary > 0 && dictionary < data ? dictionary : data;
	return chunk;
}

static ParquetChunk
read_chunk(Thrift *thrift)
{
	ParquetChunk chunk = {0};
	ThriftField field;
	int16_t		last = 0;
	bool		encrypted = false;
	bool		foreign = false;
	size_t		length;

	while (thrift_field(thrift, &last, &field))
	{
		if (field.id == 1)
		{
			(void) thrift_binary(thrift, field.type, &length);
			foreign = length > 0;
		}
		else if (field.id == 3 && thrift_is_struct(thrift, field.type))
			chunk = read_chunk_metadata(thrift);
		else if (field.id == 8)
		{
			encrypted = true;
			thrift_skip(thrift, field.type);
		}
		else if (field.id != 3)
			thrift_skip(thrift, field.type);
	}
	chunk.encrypted = encrypted;
	chunk.foreign = foreign;
	return chunk;
}

static void
read_chunks(ParquetFile *file, Thrift *thrift, ThriftType type, ParquetRowGroup *group)
{
	ThriftType	element;
	uint32_t	n = thrift_list(thrift, type, &element);

	if (thrift->failed)
		return;
	if (group->chunks != NULL || element != THRIFT_STRUCT || n != (uint32_t) file->n_leaves)
		parquet_fail(file, "row group has %u columns, and the schema %d", n, file->n_leaves);
	group->chunks = arena_alloc(&file->arena, sizeof(ParquetChunk) * (n + 1));
	for (uint32_t i = 0; i < n && !thrift->failed; i++)
		group->chunks[i] = read_chunk(thrift);
}

static void
read_row_groups(ParquetFile *file, Thrift *thrift, ThriftType type)
{
	ThriftType	element;
	uint32_t	n = thrift_list(thrift, type, &element);

	if (file->groups != NULL || (n > 0 && (element != THRIFT_STRUCT || file->root == NULL)))
		parquet_fail(file, "footer has row groups twice, or before its schema");
	if ((uint64_t) n * (uint64_t) file->n_leaves > MAX_CHUNKS)
		parquet_fail(file, "file has %u row groups of %d columns; the limit is %d in all", n,
					 file->n_leaves, MAX_CHUNKS);
	file->groups = arena_alloc(&file->arena, sizeof(ParquetRowGroup) * ((size_t) n + 1));
	for (uint32_t i = 0; i < n && !thrift->failed; i++)
	{
		ParquetRowGroup *group = &file->groups[file->n_groups++];
		ThriftField field;
		int16_t		last = 0;

		while (thrift_field(thrift, &last, &field))
		{
			if (field.id == 1)
				read_chunks(file, thrift, field.type, group);
			else if (field.id == 3)
				group->rows = thrift_integer(thrift, field.type);
			else
				thrift_skip(thrift, field.type);
		}
		if (!thrift->failed && (group->chunks == NULL || group->rows < 0))
			parquet_fail(file, "row group %d has no columns or no rows", file->n_groups);
	}
}

static void
read_file_metadata(ParquetFile *file, Thrift *thrift)
{
	ThriftField field;
	int16_t		last = 0;

	while (thrift_field(thrift, &last, &field))
	{
		if (field.id == 2)
			read_schema(file, thrift, field.type);
		else if (field.id == 3)
			file->rows = thrift_integer(thrift, field.type);
		else if (field.id == 4)
			read_row_groups(file, thrift, field.type);
		else if (field.id == 8)
			parquet_fail(file, "file is encrypted");
		else
			thrift_skip(thrift, field.type);
	}
	if (thrift->failed || file->root == NULL)
		parquet_fail(file, "footer is damaged");
}

void
parquet_read_footer(ParquetFile *file)
{
	uint8_t		head[4] = {0};
	uint8_t		tail[TAIL_SIZE] = {0};
	uint32_t	length;
	uint8_t    *footer;
	Thrift		thrift = {0};

	if (file->size >= 4)
		parquet_read_at(file, 0, head, sizeof(head));
	if (file->size < 4 + TAIL_SIZE || (memcmp(head, "PAR1", 4) != 0 && memcmp(head, "PARE", 4) != 0))
		parquet_fail(file, "not a Parquet file: it does not begin with \"PAR1\"");
	parquet_read_at(file, file->size - TAIL_SIZE, tail, TAIL_SIZE);
	if (memcmp(tail + 4, "PARE", 4) == 0)
		parquet_fail(file, "file is encrypted");
	if (memcmp(tail + 4, "PAR1", 4) != 0)
		parquet_fail(file, "file is cut off: it does not end with \"PAR1\"");
	length = parquet_little_endian(tail);
	if (length > MAX_FOOTER || (int64_t) length > file->size - 4 - TAIL_SIZE)
		parquet_fail(file, "footer of %u bytes does not fit into the file", length);
	footer = arena_alloc(&file->arena, length + 1);
	parquet_read_at(file, file->size - TAIL_SIZE - length, footer, length);
	thrift.position = footer;
	thrift.end = footer + length;
	read_file_metadata(file, &thrift);
}

/*-------------------------------------------------------------------------
 *
 * parquet_reader.c
 *		Reads the records of a Parquet file.
 *
 * Records are assembled in batches, field by field: a field of scalars from
 * one call of its column, any other one record by record from the levels of
 * its leaves (the Dremel encoding).  A batch has fewer records when
 * the last one's values took much memory.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_reader.h"

#include <stdlib.h>
#include <string.h>

#include "source/format/parquet_text.h"

#define MAX_BATCH		256
#define FIRST_BATCH		16
#define SMALL_BATCH_BYTES	(16 * 1024 * 1024)	/* a batch that keeps more makes the next smaller */

/* the entries of a leaf, some at a time */
typedef struct ParquetCursor
{
	ParquetColumn *column;
	uint32_t	definitions[MAX_BATCH];
	uint32_t	repetitions[MAX_BATCH];
	ParquetValue values[MAX_BATCH];
	int			n;
	int			next;
	int			next_value;
} ParquetCursor;

/* the texts and elements of a batch, which move while they grow */
typedef struct ParquetBatchText
{
	ParquetText text;
	ParquetText elements;		/* of ParquetValue */
} ParquetBatchText;

ParquetReader *
parquet_reader_create(ParquetRead read, void *arg, int64_t size)
{
	ParquetReader *reader = calloc(1, sizeof(ParquetReader));

	if (reader == NULL)
		return NULL;
	reader->file.read = read;
	reader->file.arg = arg;
	reader->file.size = size;
	reader->file.arena.escape = &reader->file.escape;
	parquet_reader_reset(reader);
	return reader;
}

void
parquet_reader_free(ParquetReader *reader)
{
	for (int i = 0; i < reader->n_fields; i++)
	{
		ParquetField *field = &reader->fields[i];

		for (int k = 0; field->cursors != NULL && k < field->node->n_leaves; k++)
		{
			if (field->cursors[k].column != NULL)
				parquet_column_free(field->cursors[k].column);
		}
		free(field->cursors);
		free(field->values);
	}
	for (int i = 0; reader->texts != NULL && i < reader->n_fields; i++)
	{
		free(reader->texts[i].text.bytes);
		free(reader->texts[i].elements.bytes);
	}
	free(reader->texts);
	arena_free(&reader->file.arena);
	free(reader);
}

void
parquet_reader_reset(ParquetReader *reader)
{
	reader->record = 0;
	reader->group = -1;
	reader->group_left = 0;
	reader->batch_size = FIRST_BATCH;
	reader->in_batch = reader->next = 0;
}

/* what an element of a list is: the repeated child, or the one child of that */
static const ParquetNode *
list_element(const ParquetNode *list)
{
	const ParquetNode *repeated = list->children[0];
	const char *name = repeated->name;
	size_t		length = strlen(list->name);

	if (repeated->leaf >= 0 || repeated->n_children != 1 ||
		repeated->children[0]->repetition == PARQUET_REPEATED || strcmp(name, "array") == 0 ||
		(strncmp(name, list->name, length) == 0 && strcmp(name + length, "_tuple") == 0))
		return repeated;
	return repeated->children[0];
}

static void
describe_field(ParquetField *field, const ParquetNode *node)
{
	field->node = node;
	field->shape = PARQUET_DOCUMENT;
	if (node->leaf >= 0)
	{
		field->leaf = node;
		field->shape = node->repetition == PARQUET_REPEATED ? PARQUET_ELEMENTS : PARQUET_SCALAR;
	}
	else if (node->repetition != PARQUET_REPEATED && node->group == PARQUET_LIST &&
			 list_element(node)->leaf >= 0)
	{
		field->leaf = list_element(node);
		field->shape = PARQUET_ELEMENTS;
	}
}

bool
parquet_reader_open(ParquetReader *reader)
{
	ParquetFile *file = &reader->file;

	if (setjmp(file->escape) != 0)
	{
		if (file->message[0] == '\0')
			strcpy(file->message, "out of memory");
		return false;
	}
	parquet_read_footer(file);
	reader->fields = arena_alloc(&file->arena, sizeof(ParquetField) * (size_t) (file->root->n_children + 1));
	for (int i = 0; i < file->root->n_children; i++)
		describe_field(&reader->fields[i], file->root->children[i]);
	reader->n_fields = file->root->n_children;
	return true;
}

/* ------- cursors over the entries of a leaf ------- */

/* false at the end of the chunk */
static bool
cursor_peek(ParquetCursor *cursor)
{
	int			n_values;

	if (cursor->next < cursor->n)
		return true;
	cursor->next = cursor->next_value = 0;
	cursor->n = parquet_column_read(cursor->column, MAX_BATCH, cursor->definitions,
									cursor->repetitions, cursor->values, &n_values);
	return cursor->n > 0;
}

static void
__attribute__((noreturn))
fail_levels(ParquetReader *reader, const ParquetNode *node)
{
	parquet_fail(&reader->file, "column \"%.63s\": levels of its parts do not agree", node->name);
}

static ParquetCursor *
cursor_of(const ParquetField *field, const ParquetNode *node)
{
	return &field->cursors[node->first_leaf - field->node->first_leaf];
}

/* the definition level of a node's next entry */
static uint32_t
next_definition(ParquetReader *reader, const ParquetField *field, const ParquetNode *node)
{
	ParquetCursor *cursor = cursor_of(field, node);

	if (!cursor_peek(cursor))
		fail_levels(reader, node);
	return cursor->definitions[cursor->next];
}

/* whether a node's next entry is of the same record and repeats at this level */
static bool
repeats(ParquetReader *reader, const ParquetField *field, const ParquetNode *node)
{
	ParquetCursor *cursor = cursor_of(field, node);
	uint32_t	level;

	if (!cursor_peek(cursor))
		return false;
	level = cursor->repetitions[cursor->next];
	if (level > (uint32_t) node->repeated)
		fail_levels(reader, node);
	return level == (uint32_t) node->repeated;
}

/* passes the one entry that says that a node is not there */
static void
skip_absent(ParquetReader *reader, const ParquetField *field, const ParquetNode *node)
{
	ParquetCursor *cursor = cursor_of(field, node);

	for (int i = 0; i < node->n_leaves; i++, cursor++)
	{
		if (!cursor_peek(cursor) || cursor->definitions[cursor->next] >= (uint32_t) node->definition)
			fail_levels(reader, node);
		cursor->next++;
	}
}

/* the value of a leaf's next entry, or NULL, and passes it */
static const ParquetValue *
next_value(ParquetReader *reader, const ParquetField *field, const ParquetNode *leaf)
{
	ParquetCursor *cursor = cursor_of(field, leaf);

	if (next_definition(reader, field, leaf) < (uint32_t) leaf->definition)
	{
		cursor->next++;
		return NULL;
	}
	cursor->next++;
	return &cursor->values[cursor->next_value++];
}

/* ------- documents ------- */

static void append_node(ParquetReader *reader, ParquetField *field, const ParquetNode *node, ParquetText *text);
static void append_present(ParquetReader *reader, ParquetField *field, const ParquetNode *node, ParquetText *text);

static void
append_char(ParquetText *text, char c)
{
	parquet_text_append(text, &c, 1);
}

static void
append_leaf(ParquetReader *reader, ParquetField *field, const ParquetNode *leaf, ParquetText *text)
{
	const ParquetValue *value = next_value(reader, field, leaf);

	if (value == NULL || leaf->meaning == PARQUET_ALWAYS_NULL)
		parquet_text_append(text, "null", 4);
	else
		parquet_text_json(text, leaf, value);
}

static void
append_struct(ParquetReader *reader, ParquetField *field, const ParquetNode *node, ParquetText *text)
{
	append_char(text, '{');
	for (int i = 0; i < node->n_children; i++)
	{
		if (i > 0)
			append_char(text, ',');
		parquet_text_string(text, node->children[i]->name, strlen(node->children[i]->name));
		append_char(text, ':');
		append_node(reader, field, node->children[i], text);
	}
	append_char(text, '}');
}

/* one entry of a map: its key as a string, whatever its type */
static void
append_map_entry(ParquetReader *reader, ParquetField *field, const ParquetNode *entry, ParquetText *text)
{
	size_t		start = text->length;

	append_node(reader, field, entry->children[0], text);
	if (text->bytes[start] != '"')
	{
		ParquetText key = *text;

		/* the key's text is moved behind itself, as a string */
		key.bytes = parquet_allocate(text->file, NULL, text->length - start);
		key.length = text->length - start;
		memcpy(key.bytes, text->bytes + start, key.length);
		text->length = start;
		parquet_text_string(text, key.bytes, key.length);
		free(key.bytes);
	}
	append_char(text, ':');
	if (entry->n_children == 2)
		append_node(reader, field, entry->children[1], text);
	else
		parquet_text_append(text, "null", 4);
}

/* the repeated child of a list or a map, or a repeated node by itself */
static void
append_repeated(ParquetReader *reader, ParquetField *field, const ParquetNode *repeated,
				const ParquetNode *element, bool map, ParquetText *text)
{
	bool		first = true;

	append_char(text, map ? '{' : '[');
	if (next_definition(reader, field, repeated) < (uint32_t) repeated->definition)
		skip_absent(reader, field, repeated);
	else
	{
		do
		{
			if (!first)
				append_char(text, ',');
			first = false;
			if (map)
				append_map_entry(reader, field, repeated, text);
			else if (element == repeated)
				append_present(reader, field, element, text);
			else
				append_node(reader, field, element, text);
		} while (repeats(reader, field, repeated));
	}
	append_char(text, map ? '}' : ']');
}

/* a leaf, or a node with children that is there */
static void
append_present(ParquetReader *reader, ParquetField *field, const ParquetNode *node, ParquetText *text)
{
	if (node->leaf >= 0)
		append_leaf(reader, field, node, text);
	else if (node->group == PARQUET_LIST)
		append_repeated(reader, field, node->children[0], list_element(node), false, text);
	else if (node->group == PARQUET_MAP)
		append_repeated(reader, field, node->children[0], NULL, true, text);
	else
		append_struct(reader, field, node, text);
}

static void
append_node(ParquetReader *reader, ParquetField *field, const ParquetNode *node, ParquetText *text)
{
	if (node->repetition == PARQUET_REPEATED)
		append_repeated(reader, field, node, node, false, text);
	else if (node->leaf < 0 && next_definition(reader, field, node) < (uint32_t) node->definition)
	{
		skip_absent(reader, field, node);
		parquet_text_append(text, "null", 4);
	}
	else
		append_present(reader, field, node, text);
}

/* ------- fields of a batch ------- */

static void
read_scalars(ParquetReader *reader, ParquetField *field, int n)
{
	ParquetCursor *cursor = field->cursors;
	int			n_values;
	int			done = 0;
	int			value;

	while (done < n)
	{
		int			some = parquet_column_read(cursor->column, n - done, cursor->definitions + done,
											   cursor->repetitions, field->values + done, &n_values);

		if (some == 0)
			parquet_fail(&reader->file, "column \"%.63s\" has fewer values than its row group has rows",
						 field->node->name);
		/* from the last on, as values move up to their records */
		value = done + n_values;
		for (int i = done + some; value < i;)
		{
			i--;
			if (cursor->definitions[i] == (uint32_t) field->leaf->definition)
				field->values[i] = field->values[--value];
			else
				field->values[i] = (ParquetValue) {.null = true};
		}
		done += some;
	}
	if (field->leaf->meaning == PARQUET_ALWAYS_NULL)
	{
		for (int i = 0; i < n; i++)
			field->values[i].null = true;
	}
}

/* the elements of a list; false: the list is null */
static bool
append_elements(ParquetReader *reader, ParquetField *field, ParquetText *elements)
{
	const ParquetNode *list = field->node;
	const ParquetNode *repeated = list->leaf >= 0 ? list : list->children[0];
	uint32_t	level = next_definition(reader, field, list);

	if (level < (uint32_t) repeated->definition)
	{
		skip_absent(reader, field, repeated);
		return list == repeated || level >= (uint32_t) list->definition;
	}
	do
	{
		const ParquetValue *value = next_value(reader, field, field->leaf);
		ParquetValue element = {.null = true};

		if (value != NULL && field->leaf->meaning != PARQUET_ALWAYS_NULL)
			element = *value;
		parquet_text_append(elements, (const char *) &element, sizeof(element));
	} while (repeats(reader, field, repeated));
	return true;
}

/* each leaf of a field is at the first entry of a record */
static void
check_record_start(ParquetReader *reader, const ParquetField *field)
{
	for (int i = 0; i < field->node->n_leaves; i++)
	{
		ParquetCursor *cursor = &field->cursors[i];

		if (!cursor_peek(cursor) || cursor->repetitions[cursor->next] != 0)
			fail_levels(reader, field->node);
	}
}

static void
read_nested(ParquetReader *reader, ParquetField *field, ParquetBatchText *texts, int n)
{
	ParquetText *text = field->shape == PARQUET_ELEMENTS ? &texts->elements : &texts->text;
	const char *start;

	text->length = 0;
	for (int i = 0; i < n; i++)
	{
		ParquetValue *value = &field->values[i];
		size_t		begin = text->length;

		check_record_start(reader, field);
		if (field->shape == PARQUET_ELEMENTS)
			value->null = !append_elements(reader, field, text);
		else
		{
			value->null = field->node->repetition == PARQUET_OPTIONAL &&
				next_definition(reader, field, field->node) < (uint32_t) field->node->definition;
			append_node(reader, field, field->node, text);
		}
		/* for now, where it begins */
		value->integer = (int64_t) begin;
		value->length = (uint32_t) (text->length - begin);
	}
	/* Lists that are all empty have no memory. */
	start = text->bytes != NULL ? text->bytes : "";
	for (int i = 0; i < n; i++)
	{
		ParquetValue *value = &field->values[i];

		value->bytes = start + value->integer;
		if (field->shape == PARQUET_ELEMENTS)
			value->length /= (uint32_t) sizeof(ParquetValue);
	}
}

static void
prepare_field(ParquetReader *reader, ParquetField *field, ParquetBatchText *texts)
{
	ParquetFile *file = &reader->file;

	if (field->cursors != NULL)
		return;
	texts->text.file = texts->elements.file = file;
	field->values = parquet_allocate(file, field->values, sizeof(ParquetValue) * MAX_BATCH);
	field->cursors = calloc((size_t) field->node->n_leaves, sizeof(ParquetCursor));
	if (field->cursors == NULL)
		parquet_fail(file, "out of memory");
	for (int i = 0; i < field->node->n_leaves; i++)
	{
		field->cursors[i].column = parquet_column_create(file, file->leaves[field->node->first_leaf + i]);
	}
}

static void
begin_group(ParquetReader *reader)
{
	ParquetFile *file = &reader->file;

	reader->group_left = file->groups[reader->group].rows;
	if (reader->texts == NULL)
	{
		reader->texts = calloc((size_t) reader->n_fields + 1, sizeof(ParquetBatchText));
		if (reader->texts == NULL)
			parquet_fail(file, "out of memory");
	}
	for (int i = 0; i < reader->n_fields; i++)
	{
		ParquetField *field = &reader->fields[i];

		if (!field->wanted)
			continue;
		prepare_field(reader, field, &reader->texts[i]);
		for (int k = 0; k < field->node->n_leaves; k++)
		{
			parquet_column_begin(field->cursors[k].column, reader->group);
			field->cursors[k].n = field->cursors[k].next = 0;
		}
	}
}

/* Says which chunks of the row group are read next. */
static void
expect_group(ParquetReader *reader)
{
	ParquetFile *file = &reader->file;
	int			n = 0;

	if (file->expect == NULL)
		return;
	if (reader->expected == NULL)
		reader->expected = arena_alloc(&file->arena, sizeof(ByteRange) * (size_t) (file->n_leaves + 1));
	for (int i = 0; i < reader->n_fields; i++)
	{
		ParquetField *field = &reader->fields[i];

		for (int k = 0; field->wanted && k < field->node->n_leaves; k++)
			reader->expected[n++] = parquet_column_range(field->cursors[k].column);
	}
	file->expect(file->arg, reader->expected, n);
}

static void
release_batch(ParquetReader *reader)
{
	if (reader->file.kept_bytes > SMALL_BATCH_BYTES && reader->batch_size > 1)
		reader->batch_size /= 2;
	else if (reader->batch_size < MAX_BATCH)
		reader->batch_size *= 2;
	reader->file.kept_bytes = 0;
	for (int i = 0; i < reader->n_fields; i++)
	{
		ParquetField *field = &reader->fields[i];

		for (int k = 0; field->cursors != NULL && k < field->node->n_leaves; k++)
			parquet_column_release(field->cursors[k].column);
	}
}

/* false: there are no more records */
static bool
read_batch(ParquetReader *reader)
{
	int			n;

	release_batch(reader);
	while (reader->group_left == 0)
	{
		if (reader->group + 1 >= reader->file.n_groups)
			return false;
		reader->group++;
		if (reader->excludes != NULL && reader->excludes(reader->excludes_arg, reader->group))
		{
			reader->record += reader->file.groups[reader->group].rows;
			continue;
		}
		begin_group(reader);
		expect_group(reader);
	}
	n = reader->group_left < reader->batch_size ? (int) reader->group_left : reader->batch_size;
	for (int i = 0; i < reader->n_fields; i++)
	{
		ParquetField *field = &reader->fields[i];

		if (!field->wanted)
			continue;
		if (field->shape == PARQUET_SCALAR)
			read_scalars(reader, field, n);
		else
			read_nested(reader, field, &reader->texts[i], n);
	}
	reader->group_left -= n;
	reader->in_batch = n;
	reader->next = 0;
	return true;
}

ParquetStatus
parquet_reader_next(ParquetReader *reader)
{
	ParquetFile *file = &reader->file;

	if (reader->next == reader->in_batch)
	{
		if (setjmp(file->escape) != 0)
		{
			if (file->message[0] == '\0')
				strcpy(file->message, "out of memory");
			return PARQUET_FAILED;
		}
		if (!read_batch(reader))
			return PARQUET_END;
	}
	reader->next++;
	reader->record++;
	return PARQUET_RECORD;
}

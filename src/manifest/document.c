/*-------------------------------------------------------------------------
 *
 * document.c
 *		One YAML document as a tree that remembers its lines.
 *
 * The tree is built from libyaml's events.  libyaml's document API neither knows
 * merge keys nor refuses duplicate keys, and lets a file of some hundred bytes
 * stand for billions of nodes through nested aliases.  Each node counts the nodes
 * that it stands for, aliases followed (its weight), and reading stops when a
 * document weighs too much, so later code may walk the tree without a limit.
 *
 * An anchor is known only when its node is complete, so no node contains itself.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/document.h"

#include <string.h>
#include <yaml.h>

#define MAX_TEXT_BYTES		(4 * 1024 * 1024)
#define MAX_DEPTH			32
#define MAX_NODES			100000
#define MAX_KEYS			500
#define MAX_ANCHORS			1000
#define MAX_TAG_DIRECTIVES	100
#define EXCERPT_BYTES		60

#define TAG_PREFIX			"tag:yaml.org,2002:"

typedef struct Anchor
{
	const char *name;
	const DocNode *node;
} Anchor;

typedef struct DocReader
{
	Arena	   *arena;
	jmp_buf		escape;			/* from errors as well as lack of memory */
	yaml_parser_t parser;
	yaml_event_t event;			/* the only live one */
	const DocNode *root;
	DocError   *error;			/* its message is set by errors only */
	Anchor	   *anchors;
	size_t		n_anchors;
	size_t		anchors_capacity;
} DocReader;

typedef struct MappingBuilder
{
	DocNode    *node;
	size_t		capacity;
	const DocNode *merged;		/* value of the merge key, or NULL */
} MappingBuilder;

static const DocNode *read_node(DocReader *reader, int depth);

static void refuse_document(DocReader *reader, int line, const char *hint,
							const char *format,...)
			__attribute__((format(printf, 4, 5), noreturn));

static void
refuse_document(DocReader *reader, int line, const char *hint, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	reader->error->message = arena_vprintf(reader->arena, format, args);
	va_end(args);
	reader->error->line = line;
	reader->error->hint = hint;
	longjmp(reader->escape, 1);
}

static int
line_of(const yaml_mark_t *mark)
{
	return (int) mark->line + 1;
}

static int
event_line(const DocReader *reader)
{
	return line_of(&reader->event.start_mark);
}

/* libyaml gives errors of encoding a position in bytes: count the lines before it. */
static int
line_of_offset(const yaml_parser_t *parser)
{
	const unsigned char *text = parser->input.string.start;
	size_t		length = (size_t) (parser->input.string.end - text);
	size_t		end = parser->problem_offset;
	int			line = 1;

	if (end > length)
		end = length;
	for (size_t i = 0; i < end; i++)
		line += text[i] == '\n';
	return line;
}

static void
refuse_yaml(DocReader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "unreadable";

	if (parser->error == YAML_MEMORY_ERROR)
		arena_out_of_memory(reader->arena);
	if (parser->error == YAML_READER_ERROR)
		refuse_document(reader, line_of_offset(parser),
						"save the manifest as UTF-8 without control characters",
						"the manifest is not valid YAML: %s", problem);
	if (parser->context != NULL)
		refuse_document(reader, line_of(&parser->problem_mark), NULL,
						"the manifest is not valid YAML: %s (%s that began in line %d)",
						problem, parser->context, line_of(&parser->context_mark));
	refuse_document(reader, line_of(&parser->problem_mark), NULL,
					"the manifest is not valid YAML: %s", problem);
}

static yaml_event_type_t
next_event(DocReader *reader)
{
	yaml_event_delete(&reader->event);
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		refuse_yaml(reader);
	return reader->event.type;
}

static DocNode *
new_node(DocReader *reader, DocKind kind)
{
	DocNode    *node = arena_alloc(reader->arena, sizeof(DocNode));

	node->kind = kind;
	node->line = event_line(reader);
	node->weight = 1;
	return node;
}

static void
add_weight(DocReader *reader, DocNode *node, const DocNode *child)
{
	node->weight += child->weight;
	if (node->weight > MAX_NODES)
		refuse_document(reader, child->line,
						"split the manifest, or use fewer aliases inside of aliases",
						"the manifest stands for more than %d values", MAX_NODES);
}

static void
check_tag(DocReader *reader, const char *tag)
{
	static const char *const known[] = {"str", "int", "float", "bool", "null", "map", "seq"};
	size_t		prefix = strlen(TAG_PREFIX);

	if (tag == NULL || strcmp(tag, "!") == 0)
		return;
	if (strncmp(tag, TAG_PREFIX, prefix) == 0)
	{
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		{
			if (strcmp(tag + prefix, known[i]) == 0)
				return;
		}
	}
	refuse_document(reader, event_line(reader), "leave the tag out",
					"unknown tag \"%s\"", document_excerpt(reader->arena, tag));
}

static void
remember_anchor(DocReader *reader, const char *name, const DocNode *node)
{
	if (name == NULL)
		return;
	if (reader->n_anchors >= MAX_ANCHORS)
		refuse_document(reader, node->line, NULL,
						"the manifest has more than %d anchors", MAX_ANCHORS);
	reader->anchors = arena_grow(reader->arena, reader->anchors,
								 reader->n_anchors, &reader->anchors_capacity,
								 sizeof(Anchor));
	reader->anchors[reader->n_anchors].name = name;
	reader->anchors[reader->n_anchors].node = node;
	reader->n_anchors++;
}

/* A name that occurs twice means the later node from there on, so look backwards. */
static const DocNode *
read_alias(DocReader *reader)
{
	const char *name = (const char *) reader->event.data.alias.anchor;

	for (size_t i = reader->n_anchors; i > 0; i--)
	{
		if (strcmp(reader->anchors[i - 1].name, name) == 0)
			return reader->anchors[i - 1].node;
	}
	refuse_document(reader, event_line(reader), "define the anchor before its first use",
					"alias \"*%s\" has no anchor before it",
					document_excerpt(reader->arena, name));
}

static char *
copy_anchor(DocReader *reader, const yaml_char_t *anchor)
{
	return anchor ? arena_strdup(reader->arena, (const char *) anchor) : NULL;
}

static const DocNode *
read_scalar(DocReader *reader)
{
	DocNode    *node = new_node(reader, DOC_SCALAR);
	const char *value = (const char *) reader->event.data.scalar.value;
	size_t		length = reader->event.data.scalar.length;
	yaml_scalar_style_t style = reader->event.data.scalar.style;
	const char *tag = (const char *) reader->event.data.scalar.tag;

	check_tag(reader, tag);
	if (memchr(value, '\0', length) != NULL)
		refuse_document(reader, node->line, "take the \\0 out of the text",
						"a text holds a zero byte");
	node->text = arena_strndup(reader->arena, value, length);
	node->plain = style == YAML_PLAIN_SCALAR_STYLE &&
		(tag == NULL || (strcmp(tag, "!") != 0 &&
						 strcmp(tag, YAML_STR_TAG) != 0));
	node->block = style == YAML_LITERAL_SCALAR_STYLE ||
		style == YAML_FOLDED_SCALAR_STYLE;
	remember_anchor(reader,
					copy_anchor(reader, reader->event.data.scalar.anchor), node);
	return node;
}

static const DocNode *
read_sequence(DocReader *reader, int depth)
{
	DocNode    *node = new_node(reader, DOC_SEQUENCE);
	char	   *anchor = copy_anchor(reader, reader->event.data.sequence_start.anchor);
	size_t		capacity = 0;

	check_tag(reader, (const char *) reader->event.data.sequence_start.tag);
	while (next_event(reader) != YAML_SEQUENCE_END_EVENT)
	{
		const DocNode *item = read_node(reader, depth + 1);

		add_weight(reader, node, item);
		node->items = arena_grow(reader->arena, node->items, node->count,
								 &capacity, sizeof(DocNode *));
		node->items[node->count++] = item;
	}
	remember_anchor(reader, anchor, node);
	return node;
}

static const DocPair *
find_pair(const DocNode *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->count; i++)
	{
		if (strcmp(mapping->pairs[i].key->text, key) == 0)
			return &mapping->pairs[i];
	}
	return NULL;
}

static void
append_pair(DocReader *reader, MappingBuilder *builder, DocPair pair)
{
	DocNode    *node = builder->node;

	if (node->count >= MAX_KEYS)
		refuse_document(reader, pair.key->line, NULL,
						"a mapping has more than %d keys", MAX_KEYS);
	node->pairs = arena_grow(reader->arena, node->pairs, node->count,
							 &builder->capacity, sizeof(DocPair));
	node->pairs[node->count++] = pair;
}

/* Keys of the mapping itself, and of mappings merged earlier, win. */
static void
merge_mapping(DocReader *reader, MappingBuilder *builder, const DocNode *from)
{
	if (from->kind != DOC_MAPPING)
		refuse_document(reader, from->line, "write <<: *anchor or <<: [*first, *second]",
						"the merge key << needs a mapping or a list of mappings");
	for (size_t i = 0; i < from->count; i++)
	{
		if (find_pair(builder->node, from->pairs[i].key->text) == NULL)
			append_pair(reader, builder, from->pairs[i]);
	}
}

static void
resolve_merge(DocReader *reader, MappingBuilder *builder)
{
	const DocNode *merged = builder->merged;

	if (merged == NULL)
		return;
	if (merged->kind != DOC_SEQUENCE)
	{
		merge_mapping(reader, builder, merged);
		return;
	}
	for (size_t i = 0; i < merged->count; i++)
		merge_mapping(reader, builder, merged->items[i]);
}

static void
add_pair(DocReader *reader, MappingBuilder *builder, DocPair pair)
{
	const char *name = pair.key->text;
	const DocPair *first;

	if (pair.key->plain && strcmp(name, "<<") == 0)
	{
		if (builder->merged != NULL)
			refuse_document(reader, pair.key->line, "write <<: [*first, *second]",
							"the merge key << stands twice in one mapping");
		builder->merged = pair.value;
		return;
	}
	first = find_pair(builder->node, name);
	if (first != NULL)
		refuse_document(reader, pair.key->line, "keep one of the two",
						"key \"%s\" stands twice in one mapping, first in line %d",
						document_excerpt(reader->arena, name), first->key->line);
	append_pair(reader, builder, pair);
}

static const DocNode *
read_mapping(DocReader *reader, int depth)
{
	MappingBuilder builder = {new_node(reader, DOC_MAPPING), 0, NULL};
	char	   *anchor = copy_anchor(reader, reader->event.data.mapping_start.anchor);

	check_tag(reader, (const char *) reader->event.data.mapping_start.tag);
	while (next_event(reader) != YAML_MAPPING_END_EVENT)
	{
		DocPair		pair;

		pair.key = read_node(reader, depth + 1);
		if (pair.key->kind != DOC_SCALAR)
			refuse_document(reader, pair.key->line, NULL, "a key must be a single word");
		next_event(reader);
		pair.value = read_node(reader, depth + 1);
		add_weight(reader, builder.node, pair.key);
		add_weight(reader, builder.node, pair.value);
		add_pair(reader, &builder, pair);
	}
	resolve_merge(reader, &builder);
	remember_anchor(reader, anchor, builder.node);
	return builder.node;
}

/* Reads the node that the current event begins, up to its last event. */
static const DocNode *
read_node(DocReader *reader, int depth)
{
	if (depth > MAX_DEPTH)
		refuse_document(reader, event_line(reader), NULL,
						"the manifest is nested more than %d levels deep", MAX_DEPTH);
	switch (reader->event.type)
	{
		case YAML_ALIAS_EVENT:
			return read_alias(reader);
		case YAML_SCALAR_EVENT:
			return read_scalar(reader);
		case YAML_SEQUENCE_START_EVENT:
			return read_sequence(reader, depth);
		default:
			return read_mapping(reader, depth);
	}
}

static const DocNode *
read_document(DocReader *reader)
{
	const DocNode *root;

	next_event(reader);			/* start of the stream */
	if (next_event(reader) == YAML_STREAM_END_EVENT)
		refuse_document(reader, 0, "a manifest begins with version, kind and name",
						"the manifest is empty");
	next_event(reader);
	root = read_node(reader, 1);
	next_event(reader);			/* end of the document */
	if (next_event(reader) != YAML_STREAM_END_EVENT)
		refuse_document(reader, event_line(reader), "keep one document, without ---",
						"the manifest holds more than one document");
	return root;
}

/*
 * libyaml compares each %TAG directive with those before it, for minutes if a
 * file is full of them.  No tag that a directive can define is valid here.
 */
static void
refuse_directives(DocReader *reader, const char *text, size_t length)
{
	const char *end = text + length;
	int			count = 0;
	int			line = 1;

	for (const char *p = text; p < end; p++)
	{
		line += *p == '\n';
		if (*p == '%' && end - p >= 4 && memcmp(p, "%TAG", 4) == 0 && ++count > MAX_TAG_DIRECTIVES)
			refuse_document(reader, line, "take the directives out; tags have no meaning here",
							"the manifest has more than %d %%TAG directives", MAX_TAG_DIRECTIVES);
	}
}

const DocNode *
document_parse(Arena *arena, const char *text, size_t length, DocError *error)
{
	DocReader  *reader = arena_alloc(arena, sizeof(DocReader));
	jmp_buf    *outer = arena->escape;
	const size_t mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	memset(error, 0, sizeof(*error));
	reader->arena = arena;
	reader->error = error;
	if (!yaml_parser_initialize(&reader->parser))
		arena_out_of_memory(arena);
	/* libyaml would take UTF-16, too, which refuse_directives() cannot read */
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *) text + mark,
								 length - mark);

	arena->escape = &reader->escape;
	if (setjmp(reader->escape) == 0)
	{
		if (length > MAX_TEXT_BYTES)
			refuse_document(reader, 0, "split the manifest",
							"the manifest is larger than %d bytes", MAX_TEXT_BYTES);
		refuse_directives(reader, text, length);
		reader->root = read_document(reader);
	}
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
	arena->escape = outer;
	if (reader->root == NULL && error->message == NULL)
		arena_out_of_memory(arena);
	return reader->root;
}

const DocNode *
document_get(const DocNode *mapping, const char *key)
{
	const DocPair *pair = find_pair(mapping, key);

	return pair ? pair->value : NULL;
}

const DocNode *
document_given(const DocNode *mapping, const char *key)
{
	const DocNode *node = document_get(mapping, key);

	return node != NULL && !document_is_null(node) ? node : NULL;
}

int
document_line(const DocNode *mapping, const char *key)
{
	const DocPair *pair = find_pair(mapping, key);

	return pair ? pair->key->line : mapping->line;
}

bool
document_is_false(const DocNode *node)
{
	return node->kind == DOC_SCALAR && node->plain &&
		(strcmp(node->text, "false") == 0 || strcmp(node->text, "False") == 0 ||
		 strcmp(node->text, "FALSE") == 0);
}

bool
document_is_null(const DocNode *node)
{
	return node->kind == DOC_SCALAR && node->plain &&
		(node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		 strcmp(node->text, "null") == 0 || strcmp(node->text, "Null") == 0 ||
		 strcmp(node->text, "NULL") == 0);
}

const char *
document_excerpt(Arena *arena, const char *text)
{
	size_t		length = strlen(text);
	bool		shortened = length > EXCERPT_BYTES;
	char	   *copy;

	if (shortened)
	{
		length = EXCERPT_BYTES;
		/* do not cut a character in two */
		while (length > 0 && ((unsigned char) text[length] & 0xC0) == 0x80)
			length--;
	}
	copy = arena_printf(arena, "%.*s%s", (int) length, text,
						shortened ? "..." : "");
	for (char *p = copy; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || *p == 0x7F)
			*p = ' ';
	}
	return copy;
}

/*-------------------------------------------------------------------------
 *
 * json_reader.c
 *		Streams the records of a JSON document, without building a tree.
 *
 * Everything that is served hangs on this: it must accept nothing that is not
 * JSON, and be fast enough that writing the rows is what takes the time.  So
 * the values of a record point into the window of the document, and nothing
 * is copied or converted before someone asks for it.
 *
 * Phases and what may follow each (an error may follow every one, and stays):
 *
 *		START			FIRST, OBJECT, LINE, ENDED
 *		FIRST			NEXT, ENDED		(behind the bracket or brace around the records)
 *		NEXT			NEXT, ENDED		(behind an element)
 *		OBJECT			AFTER_OBJECT	(at a single record)
 *		AFTER_OBJECT	LINE, SEQUENCE, ENDED
 *		LINE			LINE, ENDED		(at or behind a line's record)
 *		SEQUENCE		SEQUENCE, ENDED	(behind an object that no line ends)
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/json_fields.h"
#include "source/format/json_path.h"
#include "source/format/json_reader.h"
#include "source/format/json_skip.h"
#include "source/format/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Phase
{
	PHASE_START,
	PHASE_FIRST,
	PHASE_NEXT,
	PHASE_OBJECT,
	PHASE_AFTER_OBJECT,
	PHASE_LINE,
	PHASE_SEQUENCE,
	PHASE_ENDED
} Phase;

/* what all records of a document are */
typedef enum RecordShape
{
	SHAPE_OPEN,					/* the first record will tell */
	SHAPE_OBJECT,
	SHAPE_ARRAY,
	SHAPE_SCALAR
} RecordShape;

typedef struct JsonReaderState
{
	Phase		phase;
	JsonRecordFormat format;
	RecordShape shape;
	bool		discover;
	int			max_fields;
	DocumentWindow window;
	JsonPath	path;
	JsonFields	fields;
	JsonValue	ignored;		/* where values of unknown keys go */
	JsonSeek	seek;
} JsonReaderState;

static void
note_unknown(JsonReader *reader, const char *name, size_t length)
{
	size_t		cut = sizeof(reader->unknown_name) - 1;

	if (reader->unknown_total == 0 && reader->n_unknown == reader->n_unknown_null)
	{
		if (length <= cut)
			cut = length;
		else
		{
			while (((unsigned char) name[cut] & 0xC0) == 0x80)
				cut--;
		}
		memcpy(reader->unknown_name, name, cut);
		reader->unknown_name[cut] = '\0';
		reader->unknown_record = reader->record + 1;
	}
	reader->n_unknown++;
}

static int
add_field(JsonReader *reader, const char *name, size_t length)
{
	JsonFields *fields = &reader->state->fields;
	int			capacity = fields->capacity;
	int			field = json_fields_add(fields, name, length);

	if (field >= 0 && fields->capacity > capacity)
	{
		JsonValue  *values = realloc(reader->values, (size_t) fields->capacity * sizeof(JsonValue));

		if (values == NULL)
			return -1;
		reader->values = values;
	}
	if (field >= 0)
	{
		memset(&reader->values[field], 0, sizeof(JsonValue));
		reader->n_fields = fields->count;
	}
	return field;
}

/*
 * Which field has this plain name: its index, or -1 for an unknown key.
 * False: no field can be added.  p: behind the key's opening quote.
 */
static bool
find_or_add_field(JsonReader *reader, const char *p, const char *name, size_t length, int *field)
{
	JsonReaderState *state = reader->state;

	*field = json_fields_find(&state->fields, name, length);
	if (*field >= 0)
		return true;
	if (!state->discover)
	{
		note_unknown(reader, name, length);
		return true;
	}
	if (state->fields.count >= state->max_fields)
	{
		json_scan_fail(&state->window.scan, JSON_ERROR_LIMIT, p - 1, "too many different keys");
		return false;
	}
	*field = add_field(reader, name, length);
	if (*field < 0)
		json_scan_fail(&state->window.scan, JSON_ERROR_MEMORY, p, "out of memory");
	return *field >= 0;
}

/* p: behind a key's opening quote; returns behind its closing quote */
static const char *
look_up_key(JsonReader *reader, const char *p, int *field)
{
	JsonReaderState *state = reader->state;
	JsonValue	key;
	const char *end = json_scan_string(&state->window.scan, p, &key);
	char	   *name;
	int64_t		length;
	bool		found = true;

	if (end == NULL)
		return NULL;
	if (!key.escaped)
		return find_or_add_field(reader, p, key.start, key.length, field) ? end : NULL;

	if ((name = malloc(key.length)) == NULL)
		return json_scan_fail(&state->window.scan, JSON_ERROR_MEMORY, p, "out of memory");
	length = json_value_unescape_name(&key, name);
	if (length >= 0)
		found = find_or_add_field(reader, p, name, (size_t) length, field);
	else
	{
		/* a lone surrogate is no text, so it cannot be the name of a field */
		*field = -1;
		note_unknown(reader, key.start, key.length);
	}
	free(name);
	return found ? end : NULL;
}

/* p: at the object's brace; the hot loop of a refresh */
static const char *
parse_record(JsonReader *reader, const char *p)
{
	JsonReaderState *state = reader->state;
	JsonScan   *scan = &state->window.scan;
	int			depth = state->window.depth + 1;
	int			previous = -1;
	int			known = 0;

	p = json_skip_space(p + 1);
	if (*p == '}')
		return p + 1;
	for (;;)
	{
		int			field = state->fields.next[previous + 1];
		JsonValue  *value = &state->ignored;

		if (*p != '"')
			return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected a key in quotes");
		p++;
		if (field >= 0 && json_field_matches(&state->fields.field[field], p))
			p += state->fields.field[field].length + 1;
		else
		{
			if ((p = look_up_key(reader, p, &field)) == NULL)
				return NULL;
			if (field >= 0)
				state->fields.next[previous + 1] = field;
		}
		if (field >= 0)
		{
			previous = field;
			value = &reader->values[field];
			known += value->kind == JSON_ABSENT;
		}

		p = json_skip_space(p);
		if (*p != ':')
			return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected \":\" after a key");
		p = json_scan_value(scan, json_skip_space(p + 1), depth, value);
		if (p == NULL)
			return NULL;
		reader->n_unknown_null += field < 0 && value->kind == JSON_NULL;

		p = json_skip_space(p);
		if (*p == '}')
		{
			reader->n_known = known;
			return p + 1;
		}
		if (*p != ',')
			return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected \",\" or \"}\"");
		p = json_skip_space(p + 1);
	}
}

/* The value at p is that of a field whose name no key tells; returns behind it. */
static const char *
parse_named(JsonReader *reader, const char *p, const char *name, int depth)
{
	JsonReaderState *state = reader->state;
	JsonValue  *value = &state->ignored;
	int			field;

	if (!find_or_add_field(reader, p, name, strlen(name), &field))
		return NULL;
	if (field >= 0)
		value = &reader->values[field];
	if ((p = json_scan_value(&state->window.scan, p, depth, value)) == NULL)
		return NULL;
	reader->n_known += field >= 0;
	reader->n_unknown_null += field < 0 && value->kind == JSON_NULL;
	return p;
}

/* p: at the array's bracket */
static const char *
parse_array(JsonReader *reader, const char *p)
{
	DocumentWindow *window = &reader->state->window;

	p = json_skip_space(p + 1);
	if (*p == ']')
		return p + 1;
	for (int position = 1;; position++)
	{
		char		name[32];

		snprintf(name, sizeof(name), "column_%d", position);
		if ((p = parse_named(reader, p, name, window->depth + 1)) == NULL)
			return NULL;
		p = json_skip_space(p);
		if (*p == ']')
			return p + 1;
		if (*p != ',')
			return json_scan_fail(&window->scan, JSON_ERROR_SYNTAX, p, "expected \",\" or \"]\"");
		p = json_skip_space(p + 1);
	}
}

static const char *
parse_shaped(JsonReader *reader, const char *p)
{
	if (reader->state->format == JSON_FORMAT_WHOLE)
		return parse_named(reader, p, "document", reader->state->window.depth);
	if (reader->state->format == JSON_FORMAT_VALUES)
		return parse_named(reader, p, "value", reader->state->window.depth);
	if (*p == '{')
		return parse_record(reader, p);
	return *p == '[' ? parse_array(reader, p) : parse_named(reader, p, "value", reader->state->window.depth);
}

/* p: at a key's quote; returns where its value is */
static const char *
parse_key(JsonScan *scan, const char *p, JsonValue *key)
{
	if (*p != '"')
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected a key in quotes");
	if ((p = json_scan_string(scan, p + 1, key)) == NULL)
		return NULL;
	p = json_skip_space(p);
	if (*p != ':')
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected \":\" after a key");
	p = json_skip_space(p + 1);
	return p < scan->end ? p : NULL;
}

/* The same; sets fields key and value, of which only the kind is known. */
static const char *
parse_column(JsonReader *reader, const char *p)
{
	JsonValue	key;
	int			field;
	int			value;

	if ((p = parse_key(&reader->state->window.scan, p, &key)) == NULL ||
		!find_or_add_field(reader, p, "key", strlen("key"), &field) ||
		!find_or_add_field(reader, p, "value", strlen("value"), &value))
		return NULL;
	if (field >= 0)
		reader->values[field] = key;
	if (value >= 0)
		reader->values[value] = (JsonValue) {.start = p, .kind = *p == '[' ? JSON_ARRAY : *p == 'n' ? JSON_NULL : JSON_STRING};
	return p;
}

/* p: at the quote of a key, whose value is a record */
static const char *
parse_entry(JsonReader *reader, const char *p)
{
	JsonScan   *scan = &reader->state->window.scan;
	JsonValue	key;
	int			field;

	if ((p = parse_key(scan, p, &key)) == NULL || (p = parse_shaped(reader, p)) == NULL)
		return NULL;
	if (!find_or_add_field(reader, p, "key", strlen("key"), &field))
		return NULL;
	if (field < 0)
		return p;
	if (reader->values[field].kind != JSON_ABSENT)
		return json_scan_fail(scan, JSON_ERROR_SHAPE, p, "a record of the map has a field \"key\" of its own");
	reader->values[field] = key;
	return p;
}

static RecordShape
shape_of(int c)
{
	return c == '{' ? SHAPE_OBJECT : c == '[' ? SHAPE_ARRAY : SHAPE_SCALAR;
}

/* Is the object or value below taken apart otherwise than into objects? */
static bool
has_any_shape(JsonRecordFormat format)
{
	return format == JSON_FORMAT_MAP || format == JSON_FORMAT_WHOLE || format == JSON_FORMAT_COLUMNS ||
		format == JSON_FORMAT_VALUES;
}

static bool
is_keyed(JsonRecordFormat format)
{
	return format == JSON_FORMAT_MAP || format == JSON_FORMAT_COLUMNS;
}

/* At a record, or at something else that should be one.  Of a map any value is one. */
static bool
check_shape(JsonReader *reader)
{
	JsonReaderState *state = reader->state;
	int			c = window_peek(&state->window);

	if (has_any_shape(state->format))
		return c != JSON_NO_BYTE || window_fail_here(&state->window, JSON_ERROR_SYNTAX, "expected a value");
	if (c == JSON_NO_BYTE || strchr("{[\"-0123456789tfn", c) == NULL)
		return window_fail_shape(&state->window, "every record must be an object");
	/* a line that is an array may as well be a whole document */
	if (state->shape == SHAPE_OPEN)
		state->shape = state->phase == PHASE_LINE ? SHAPE_OBJECT : shape_of(c);
	if (shape_of(c) == state->shape)
		return true;
	return window_fail_shape(&state->window, state->shape == SHAPE_OBJECT ? "every record must be an object" :
							 state->shape == SHAPE_ARRAY ? "every record must be an array, as the first is" :
							 "every record must be a plain value, as the first is");
}

static const char *
parse_any(JsonReader *reader, const char *p)
{
	memset(reader->values, 0, (size_t) reader->n_fields * sizeof(JsonValue));
	reader->n_known = 0;
	reader->n_unknown = 0;
	reader->n_unknown_null = 0;
	switch (reader->state->format)
	{
		case JSON_FORMAT_MAP:
			return parse_entry(reader, p);
		case JSON_FORMAT_COLUMNS:
			return parse_column(reader, p);
		default:
			return parse_shaped(reader, p);
	}
}

static bool
read_record(JsonReader *reader)
{
	DocumentWindow *window = &reader->state->window;
	const char *end;

	window->record = reader->record + 1;
	if (!check_shape(reader))
		return false;
	while ((end = parse_any(reader, window->position)) == NULL)
	{
		if (!window_again(window))
			return false;
	}
	reader->record++;
	reader->unknown_total += reader->n_unknown - reader->n_unknown_null;
	reader->offset = window_offset(window, window->position);
	reader->end = window_offset(window, end);
	window->position = end;
	window->newline = false;
	return true;
}

/*
 * The first line break inside of the record that ends at position, or NULL.
 * JSON Lines has one object per line; were that not checked, a line that was
 * cut could merge with the next one unnoticed.
 */
static const char *
find_line_break(const JsonReader *reader)
{
	const DocumentWindow *window = &reader->state->window;
	const char *start = window->bytes + (reader->offset - window->offset);

	return memchr(start, '\n', (size_t) (window->position - start));
}

/* skips a mark of UTF-8 on the way */
static bool
check_encoding(DocumentWindow *window)
{
	if (!window_skip_mark(window) &&
		(memcmp(window->position, "\xFF\xFE", 2) == 0 ||
		 memcmp(window->position, "\xFE\xFF", 2) == 0))
		return window_fail(window, JSON_ERROR_ENCODING, window->position,
						   "document is in UTF-16, but JSON has to be in UTF-8");
	return window->error->code == JSON_ERROR_NONE;
}

/* the pointer itself may be wrong */
static bool
check_path(JsonReader *reader)
{
	JsonReaderState *state = reader->state;
	const JsonPath *path = &state->path;
	char		message[512];
	char		pointer[128];

	if (path->problem != NULL)
	{
		window_printable(pointer, sizeof(pointer), path->pointer,
						 path->pointer + strlen(path->pointer));
		snprintf(message, sizeof(message), "json_pointer \"%s\" is invalid: %s",
				 pointer, path->problem);
		return window_fail(&state->window, JSON_ERROR_SHAPE, state->window.position, message);
	}
	if (path->length > 0 && state->format == JSON_FORMAT_LINES)
		return window_fail(&state->window, JSON_ERROR_SHAPE, state->window.position,
						   "json_pointer cannot be used with JSON Lines");
	return true;
}

/* Services put these before JSON so that a browser which runs it as a script fails. */
static void
skip_guard(DocumentWindow *window)
{
	static const char *const guards[] = {")]}',", ")]}'", "while(1);", "for(;;);"};

	if (window_peek(window) == JSON_NO_BYTE)
		return;
	while (window->scan.end - window->position < 9 && window_fill(window))
		;
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++)
	{
		/* the window ends with zeros */
		if (strncmp(window->position, guards[i], strlen(guards[i])) == 0)
		{
			window->position += strlen(guards[i]);
			return;
		}
	}
}

/* from the document's first byte to where the records are */
static bool
open_document(JsonReader *reader)
{
	JsonReaderState *state = reader->state;
	DocumentWindow *window = &state->window;
	int			c;

	if (!check_path(reader) || !check_encoding(window))
		return false;
	if (state->format == JSON_FORMAT_LINES)
	{
		window->newline = true;
		state->phase = PHASE_LINE;
		return true;
	}
	skip_guard(window);
	if (window_peek(window) == JSON_NO_BYTE)
		return window_fail(window, JSON_ERROR_SYNTAX, window->position, "empty document");
	if (!json_path_enter(&state->path, window))
		return false;

	c = window_peek(window);
	if (is_keyed(state->format) && c != '{')
		return window_fail_place(window, state->format == JSON_FORMAT_MAP ?
								 "the records of a map must be in an object" : "columns must be in an object");
	if (state->format == JSON_FORMAT_VALUES && c != '[')
		return window_fail_place(window, "a column must be an array");
	if (state->format == JSON_FORMAT_WHOLE || (c == '{' && !is_keyed(state->format)))
		state->phase = PHASE_OBJECT;
	else if (c == '[' || c == '{')
	{
		window->position++;
		window->depth++;
		state->phase = PHASE_FIRST;
	}
	else
		return window_fail_place(window, "records must be in an array or object");
	return true;
}

static JsonStatus
close_document(JsonReader *reader)
{
	JsonReaderState *state = reader->state;

	if (!json_path_leave(&state->path, &state->window))
		return JSON_FAILED;
	state->phase = PHASE_ENDED;
	return JSON_END;
}

/* among the records, at an element, or at what is behind the last one */
static JsonStatus
next_element(JsonReader *reader)
{
	JsonReaderState *state = reader->state;
	DocumentWindow *window = &state->window;
	bool		map = is_keyed(state->format);
	int			c;

	/* the value of the key before */
	if (state->format == JSON_FORMAT_COLUMNS && state->phase == PHASE_NEXT && !window_skip_value(window))
		return JSON_FAILED;
	c = window_peek(window);
	if (c == (map ? '}' : ']'))
	{
		window->position++;
		window->depth--;
		return close_document(reader);
	}
	if (state->phase == PHASE_NEXT)
	{
		if (c != ',')
		{
			window_fail_here(window, JSON_ERROR_SYNTAX, map ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
			return JSON_FAILED;
		}
		window->position++;
	}
	state->phase = PHASE_NEXT;
	return read_record(reader) ? JSON_RECORD : JSON_FAILED;
}

static JsonStatus
next_line(JsonReader *reader)
{
	JsonReaderState *state = reader->state;
	DocumentWindow *window = &state->window;
	const char *line_break;

	if (window_peek(window) == JSON_NO_BYTE)
	{
		state->phase = PHASE_ENDED;
		return window->error->code == JSON_ERROR_NONE ? JSON_END : JSON_FAILED;
	}
	if (!window->newline)
	{
		window_fail_here(window, JSON_ERROR_SYNTAX, "expected the end of the line");
		return JSON_FAILED;
	}
	if (!read_record(reader))
		return JSON_FAILED;
	line_break = find_line_break(reader);
	if (line_break != NULL)
	{
		window_fail(window, JSON_ERROR_SYNTAX, line_break,
					"line break inside of an object: JSON Lines has one object per line");
		return JSON_FAILED;
	}
	return JSON_RECORD;
}

/* behind one of several objects, between which there need not be anything */
static JsonStatus
next_object(JsonReader *reader)
{
	JsonReaderState *state = reader->state;

	if (window_peek(&state->window) != '{')
		return close_document(reader);
	state->phase = PHASE_SEQUENCE;
	return read_record(reader) ? JSON_RECORD : JSON_FAILED;
}

/* the first object is behind us: was it the document, its first line, or the first of several? */
static JsonStatus
after_object(JsonReader *reader)
{
	JsonReaderState *state = reader->state;
	bool		one_line;

	if (state->format != JSON_FORMAT_AUTO || state->path.length > 0)
		return close_document(reader);

	/* first, because peek may move the window */
	one_line = find_line_break(reader) == NULL;
	if (window_peek(&state->window) == '{' && state->window.newline && one_line)
	{
		state->phase = PHASE_LINE;
		return next_line(reader);
	}
	return next_object(reader);
}

JsonStatus
json_reader_next(JsonReader *reader)
{
	JsonReaderState *state = reader->state;

	if (reader->error.code != JSON_ERROR_NONE)
		return JSON_FAILED;
	if (state->phase == PHASE_START && !open_document(reader))
		return JSON_FAILED;
	switch (state->phase)
	{
		case PHASE_FIRST:
		case PHASE_NEXT:
			return next_element(reader);
		case PHASE_OBJECT:
			state->phase = PHASE_AFTER_OBJECT;
			return read_record(reader) ? JSON_RECORD : JSON_FAILED;
		case PHASE_AFTER_OBJECT:
			return after_object(reader);
		case PHASE_LINE:
			return next_line(reader);
		case PHASE_SEQUENCE:
			return next_object(reader);
		default:
			return JSON_END;
	}
}

bool
json_reader_at_single_object(const JsonReader *reader)
{
	return reader->state->phase == PHASE_AFTER_OBJECT && reader->state->format != JSON_FORMAT_WHOLE;
}

bool
json_reader_has_objects(JsonReader *reader)
{
	JsonReaderState *state = reader->state;

	if (has_any_shape(state->format) ||
		(state->phase == PHASE_START && !open_document(reader)))
		return false;
	return window_peek(&state->window) == '{';
}

/* at records that follow one another: see json_reader_skip() */
static bool
skip_structure(JsonReader *reader, int64_t offset)
{
	DocumentWindow *window = &reader->state->window;
	JsonSkip	skip = {0};
	const char *p;

	do
	{
		int64_t		left = offset - window_offset(window, window->position);
		int64_t		size = window->scan.end - window->position;

		/* a target that is not in the window yet lies in the zeros behind it */
		left = left < 0 ? 0 : left > size ? size + 1 : left;
		p = json_skip_records(&skip, window->position, window->scan.end, window->position + left);
		window->position = p != NULL ? p : window->scan.end;
	} while (p == NULL && window_fill(window));
	window->newline = false;
	reader->record += skip.records;
	window->record = reader->record;
	if (reader->state->phase == PHASE_FIRST && skip.records > 0)
		reader->state->phase = PHASE_NEXT;
	if (p == NULL || skip.closed)
		return false;
	reader->end = window_offset(window, p);
	return true;
}

/* the same of one record, without telling what it holds */
static bool
skip_reading(JsonReader *reader)
{
	JsonReader	before = *reader;
	bool		read = json_reader_next(reader) == JSON_RECORD;

	reader->unknown_total = before.unknown_total;
	reader->unknown_record = before.unknown_record;
	memcpy(reader->unknown_name, before.unknown_name, sizeof(before.unknown_name));
	return read;
}

/* is it where one record follows another?  After a first object that is yet to be seen. */
static bool
in_sequence(const JsonReader *reader)
{
	Phase		phase = reader->state->phase;

	return phase == PHASE_FIRST || phase == PHASE_NEXT || phase == PHASE_LINE || phase == PHASE_SEQUENCE;
}

bool
json_reader_skip(JsonReader *reader, int64_t offset)
{
	if (reader->state->phase == PHASE_START && !open_document(reader))
		return false;
	while (reader->end < offset)
	{
		if (in_sequence(reader) ? !skip_structure(reader, offset) : !skip_reading(reader))
			return false;
	}
	return true;
}

bool
json_reader_go(JsonReader *reader, int64_t record, int64_t end)
{
	JsonReaderState *state = reader->state;
	DocumentWindow *window = &state->window;

	if (state->phase == PHASE_START && !open_document(reader))
		return false;
	while (!in_sequence(reader))
	{
		if (!skip_reading(reader))
			return false;
	}
	if (state->phase == PHASE_FIRST)
		state->phase = PHASE_NEXT;
	state->shape = SHAPE_OBJECT;
	state->seek(window->arg, end);
	window_go(window, end);
	window->record = record;
	reader->record = record;
	reader->end = end;
	return true;
}

JsonReader *
json_reader_create(const JsonReaderOptions *options)
{
	JsonReader *reader = calloc(1, sizeof(JsonReader));
	JsonReaderState *state = calloc(1, sizeof(JsonReaderState));

	if (reader == NULL || state == NULL)
	{
		free(reader);
		free(state);
		return NULL;
	}
	reader->state = state;
	state->format = options->format;
	state->discover = options->discover;
	state->max_fields = options->max_fields;
	state->seek = options->seek;
	if (json_fields_init(&state->fields) &&
		window_init(&state->window, options->read, options->arg, &reader->error) &&
		json_path_init(&state->path, options->pointer) &&
		(reader->values = calloc((size_t) state->fields.capacity, sizeof(JsonValue))) != NULL)
		return reader;
	json_reader_free(reader);
	return NULL;
}

void
json_reader_free(JsonReader *reader)
{
	JsonReaderState *state;

	if (reader == NULL)
		return;
	state = reader->state;
	json_fields_free(&state->fields);
	json_path_free(&state->path);
	free(state->window.bytes);
	free(state);
	free(reader->values);
	free(reader);
}

void
json_reader_count_not_finite(JsonReader *reader, JsonKind kind)
{
	reader->state->window.scan.not_finite = kind;
}

int
json_reader_add_field(JsonReader *reader, const char *name, size_t length)
{
	if (json_fields_find(&reader->state->fields, name, length) >= 0)
		return -1;
	return add_field(reader, name, length);
}

const char *
json_reader_field_name(const JsonReader *reader, int field, size_t *length)
{
	const JsonField *entry = &reader->state->fields.field[field];

	*length = entry->length;
	return entry->name;
}

int64_t
json_reader_value_offset(const JsonReader *reader, const JsonValue *value)
{
	/* a string begins with its quote */
	return window_offset(&reader->state->window,
						 value->start - (value->kind == JSON_STRING ? 1 : 0));
}

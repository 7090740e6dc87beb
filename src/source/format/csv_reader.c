/*-------------------------------------------------------------------------
 *
 * csv_reader.c
 *		Streams the records of CSV (RFC 4180), field by field.
 *
 * It stands on the JSON reader's window: what begins at the position is
 * scanned as if it lay there whole, and scanned anew when there turns out to
 * be more of it.  So a scan changes nothing; escapes are undone in place when
 * a record is complete.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/bytes.h"
#include "source/format/csv_reader.h"
#include "source/format/window.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY	32

typedef struct CsvReaderState
{
	char		delimiter;
	char		quote;
	char		escape;
	char		comment;
	bool		trim;
	bool		separator_line;
	int			skip_lines;
	int			max_fields;
	int			capacity;		/* of fields */
	bool		started;
	bool		more;			/* the window ended too early, nothing was wrong */
	int64_t		lines;			/* that the record takes up */
	DocumentWindow window;
} CsvReaderState;

CsvReader *
csv_reader_create(const CsvReaderOptions *options)
{
	CsvReader  *reader = calloc(1, sizeof(CsvReader));

	if (reader == NULL)
		return NULL;
	reader->state = calloc(1, sizeof(CsvReaderState));
	reader->fields = malloc(FIRST_CAPACITY * sizeof(CsvField));
	if (reader->state == NULL || reader->fields == NULL ||
		!window_init(&reader->state->window, options->read, options->arg, &reader->error))
	{
		csv_reader_free(reader);
		return NULL;
	}
	reader->state->delimiter = options->delimiter;
	reader->state->quote = options->quote;
	reader->state->escape = options->escape;
	reader->state->comment = options->comment;
	reader->state->trim = options->trim;
	reader->state->separator_line = options->separator_line;
	reader->state->skip_lines = options->skip_lines;
	reader->state->max_fields = options->max_fields;
	reader->state->capacity = FIRST_CAPACITY;
	return reader;
}

void
csv_reader_free(CsvReader *reader)
{
	if (reader->state != NULL)
		free(reader->state->window.bytes);
	free(reader->state);
	free(reader->fields);
	free(reader);
}

/* scanners return these: no end of what they scan, because ... */
static const char *
fail(CsvReaderState *state, JsonErrorCode code, const char *p, const char *message)
{
	window_fail(&state->window, code, p, message);
	return NULL;
}

static const char *
ask_for_more(CsvReaderState *state)
{
	state->more = true;
	return NULL;
}

/* does the window end at p, but not the document? */
static inline bool
is_cut(const CsvReaderState *state, const char *p)
{
	return p == state->window.scan.end && !state->window.at_end;
}

/* p: at a byte that is not ASCII; to the end of a run of such characters */
static const char *
scan_utf8(CsvReaderState *state, const char *p)
{
	while ((unsigned char) *p >= 0x80)
	{
		int			length = bytes_utf8_length(p);

		if (length > 0)
			p += length;
		else if (state->window.scan.end - p < 4 && !state->window.at_end)
			return ask_for_more(state);
		else
			return fail(state, JSON_ERROR_ENCODING, p, "invalid UTF-8");
	}
	return p;
}

/*
 * p: at a byte that bytes_skip_plain() stopped at and that ends nothing.  Behind it,
 * or NULL; p itself at the document's end.
 */
static const char *
scan_special(CsvReaderState *state, const char *p)
{
	if ((unsigned char) *p >= 0x80)
		return scan_utf8(state, p);
	if (*p != '\0')
		return p + 1;
	if (p < state->window.scan.end)
		return fail(state, JSON_ERROR_ENCODING, p, "a NUL byte");
	return state->window.at_end ? p : ask_for_more(state);
}

static inline bool
ends_field(const CsvReaderState *state, const char *p)
{
	return *p == state->delimiter || *p == '\n' || *p == '\r' || p == state->window.scan.end;
}

static inline bool
is_blank(const CsvReaderState *state, const char *p)
{
	return (*p == ' ' || *p == '\t') && *p != state->delimiter;
}

static const char *
skip_blanks(const CsvReaderState *state, const char *p)
{
	while (is_blank(state, p))
		p++;
	return p;
}

/* the scanners of fields return where the field ends, at what ends_field() */
static inline const char *
scan_plain(CsvReaderState *state, const char *p, CsvField *field)
{
	const char *start = p;

	for (;;)
	{
		p = bytes_skip_plain(p, state->delimiter, state->delimiter);
		if (*p == state->delimiter || *p == '\n' || *p == '\r')
			break;
		if ((p = scan_special(state, p)) == NULL)
			return NULL;
		if (p == state->window.scan.end && state->window.at_end)
			break;
	}
	field->start = start;
	field->length = (size_t) (p - start);
	field->quoted = false;
	field->escaped = false;
	return p;
}

static inline bool
is_escape(const CsvReaderState *state, const char *p)
{
	return *p == state->escape && (p[1] == state->quote || p[1] == state->escape);
}

/* p: behind the opening quote */
static const char *
scan_quoted(CsvReaderState *state, const char *p, CsvField *field)
{
	const char *start = p;
	bool		escaped = false;

	for (;;)
	{
		p = bytes_skip_plain(p, state->quote, state->escape);
		if (is_escape(state, p))
		{
			escaped = true;
			p += 2;
			continue;
		}
		if (*p == state->quote)
			break;
		state->lines += *p == '\n' || (*p == '\r' && p[1] != '\n');
		if (p == state->window.scan.end && state->window.at_end)
			return fail(state, JSON_ERROR_SYNTAX, start - 1, "a quoted field has no end");
		/* an escape before anything else means itself */
		p = *p == state->escape ? p + 1 : scan_special(state, p);
		if (p == NULL)
			return NULL;
	}
	field->start = start;
	field->length = (size_t) (p - start);
	field->quoted = true;
	field->escaped = escaped;
	p++;
	if (state->trim)
		p = skip_blanks(state, p);
	/* it may have been the first half of an escape */
	if (is_cut(state, p))
		return ask_for_more(state);
	if (!ends_field(state, p))
		return fail(state, JSON_ERROR_SYNTAX, p, "there is text behind a closing quote");
	return p;
}

/* p: at the first byte of a field; without a quote, no byte is like it: NUL is an error or the end */
static inline const char *
scan_field(CsvReaderState *state, const char *p, CsvField *field)
{
	if (state->trim)
		p = skip_blanks(state, p);
	if (*p == state->quote && *p != '\0')
		return scan_quoted(state, p + 1, field);
	p = scan_plain(state, p, field);
	while (state->trim && p != NULL && field->length > 0 && is_blank(state, field->start + field->length - 1))
		field->length--;
	return p;
}

static bool
make_room(CsvReader *reader, const char *p)
{
	CsvReaderState *state = reader->state;
	CsvField   *fields;

	if (reader->n_fields == state->max_fields)
		return fail(state, JSON_ERROR_LIMIT, p, "too many fields") != NULL;
	if (reader->n_fields < state->capacity)
		return true;
	fields = realloc(reader->fields, (size_t) state->capacity * 2 * sizeof(CsvField));
	if (fields == NULL)
		return fail(state, JSON_ERROR_MEMORY, p, "out of memory") != NULL;
	reader->fields = fields;
	state->capacity *= 2;
	return true;
}

/* where the next record begins, or NULL */
static const char *
scan_record(CsvReader *reader, const char *p)
{
	CsvReaderState *state = reader->state;

	reader->n_fields = 0;
	state->lines = 1;
	for (;; p++)
	{
		CsvField   *field;

		if (!make_room(reader, p))
			return NULL;
		field = &reader->fields[reader->n_fields++];
		if ((p = scan_field(state, p, field)) == NULL)
			return NULL;
		if (*p != state->delimiter)
			break;
	}
	if (*p == '\r')
	{
		if (is_cut(state, p + 1))
			return ask_for_more(state);
		p += p[1] == '\n';
	}
	return p < state->window.scan.end ? p + 1 : p;
}

static void
undo_escapes(const CsvReaderState *state, CsvField *field)
{
	const char *end = field->start + field->length;
	char	   *out = (char *) field->start;

	/* an escape is never the last byte: the quote behind it would be part of the field */
	for (const char *p = field->start; p < end; p++)
	{
		if (is_escape(state, p))
			p++;
		*out++ = *p;
	}
	field->length = (size_t) (out - field->start);
}

/* false: the window ends here, and so does the document, or reading failed */
static inline bool
has_byte(DocumentWindow *window)
{
	return window->position < window->scan.end || window_fill(window);
}

/* passes over the rest of a line, whatever it holds */
static void
skip_line(CsvReader *reader)
{
	DocumentWindow *window = &reader->state->window;
	bool		ended = false;

	while (!ended && has_byte(window))
	{
		char		byte = *window->position++;

		ended = byte == '\n' || byte == '\r';
		if (byte == '\r' && has_byte(window) && *window->position == '\n')
			window->position++;
	}
	reader->line++;
}

/* obeys a line such as sep=; */
static void
read_separator_line(CsvReader *reader)
{
	DocumentWindow *window = &reader->state->window;
	const char *p;

	while (window->scan.end - window->position < 6 && window_fill(window))
		;
	p = window->position;
	if (window->scan.end - p < 6 || memcmp(p, "sep=", 4) != 0 || (p[5] != '\n' && p[5] != '\r') ||
		(unsigned char) p[4] >= 0x80 || p[4] == reader->state->quote)
		return;
	reader->state->delimiter = p[4];
	skip_line(reader);
}

static void
begin_document(CsvReader *reader)
{
	CsvReaderState *state = reader->state;

	state->started = true;
	(void) window_skip_mark(&state->window);
	for (int i = 0; i < state->skip_lines; i++)
		skip_line(reader);
	if (state->separator_line)
		read_separator_line(reader);
	state->lines = 1;
}

JsonStatus
csv_reader_next(CsvReader *reader)
{
	CsvReaderState *state = reader->state;
	DocumentWindow *window = &state->window;
	const char *end;

	if (!state->started)
		begin_document(reader);
	reader->line += state->lines;
	state->lines = 0;
	while (state->comment != '\0' && has_byte(window) && *window->position == state->comment)
		skip_line(reader);
	if (!has_byte(window))
		return reader->error.code == JSON_ERROR_NONE ? JSON_END : JSON_FAILED;

	do
	{
		state->more = false;
		end = scan_record(reader, window->position);
		/* when there is no more, the scan to follow knows that */
		if (state->more)
			(void) window_fill(window);
	} while (state->more && reader->error.code == JSON_ERROR_NONE);
	if (end == NULL || reader->error.code != JSON_ERROR_NONE)
		return JSON_FAILED;

	window->position = end;
	for (int i = 0; i < reader->n_fields; i++)
	{
		if (reader->fields[i].escaped)
			undo_escapes(state, &reader->fields[i]);
	}
	return JSON_RECORD;
}

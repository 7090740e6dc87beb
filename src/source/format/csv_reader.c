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
#include "source/format/csv_reader.h"
#include "source/format/window.h"

#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FIRST_CAPACITY	32

typedef struct CsvReaderState
{
	char		delimiter;
	char		quote;
	char		escape;
	int			max_fields;
	int			capacity;		/* of fields */
	bool		started;
	bool		more;			/* the window ended too early, nothing was wrong */
	int64_t		lines;			/* that the record takes up */
	JsonWindow	window;
} CsvReaderState;

CsvReader *
csv_reader_create(const CsvReaderOptions *options)
{
	JsonReaderOptions window = {.read = options->read, .arg = options->arg};
	CsvReader  *reader = calloc(1, sizeof(CsvReader));

	if (reader == NULL)
		return NULL;
	reader->state = calloc(1, sizeof(CsvReaderState));
	reader->fields = malloc(FIRST_CAPACITY * sizeof(CsvField));
	if (reader->state == NULL || reader->fields == NULL ||
		!json_window_init(&reader->state->window, &window, &reader->error))
	{
		csv_reader_free(reader);
		return NULL;
	}
	reader->state->delimiter = options->delimiter;
	reader->state->quote = options->quote;
	reader->state->escape = options->escape;
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
	json_window_fail(&state->window, code, p, message);
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

/*
 * Skips the bytes that mean themselves: ASCII without control characters and
 * without the two.  Reads beyond the window's end, never beyond its padding,
 * because the NUL at the end is a control character.
 */
static inline const char *
skip_plain(const char *p, char one, char other)
{
#ifdef __SSE2__
	const __m128i ones = _mm_set1_epi8(one);
	const __m128i others = _mm_set1_epi8(other);
	const __m128i space = _mm_set1_epi8(' ');

	for (;; p += 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

		/* the comparison is signed: bytes from 0x80 are below the space, too */
		__m128i		special = _mm_or_si128(_mm_cmplt_epi8(bytes, space),
										   _mm_or_si128(_mm_cmpeq_epi8(bytes, ones),
														_mm_cmpeq_epi8(bytes, others)));
		int			mask = _mm_movemask_epi8(special);

		if (mask != 0)
			return p + __builtin_ctz((unsigned int) mask);
	}
#else
	while ((unsigned char) *p >= ' ' && (unsigned char) *p < 0x80 && *p != one && *p != other)
		p++;
	return p;
#endif
}

/* p: at a byte that is not ASCII; to the end of a run of such characters */
static const char *
scan_utf8(CsvReaderState *state, const char *p)
{
	while ((unsigned char) *p >= 0x80)
	{
		int			length = json_utf8_length(p);

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
 * p: at a byte that skip_plain() stopped at and that ends nothing.  Behind it,
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

/* the scanners of fields return where the field ends, at what ends_field() */
static inline const char *
scan_plain(CsvReaderState *state, const char *p, CsvField *field)
{
	const char *start = p;

	for (;;)
	{
		p = skip_plain(p, state->delimiter, state->delimiter);
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
		p = skip_plain(p, state->quote, state->escape);
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
	/* it may have been the first half of an escape */
	if (is_cut(state, p))
		return ask_for_more(state);
	if (!ends_field(state, p))
		return fail(state, JSON_ERROR_SYNTAX, p, "there is text behind a closing quote");
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
		/* without a quote, no byte is like it: NUL is an error or the end */
		p = *p == state->quote && *p != '\0' ? scan_quoted(state, p + 1, field) :
			scan_plain(state, p, field);
		if (p == NULL)
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

static void
skip_byte_order_mark(JsonWindow *window)
{
	while (window->scan.end - window->position < 3 && json_window_fill(window))
		;
	if (window->scan.end - window->position >= 3 && memcmp(window->position, "\xEF\xBB\xBF", 3) == 0)
		window->position += 3;
}

JsonStatus
csv_reader_next(CsvReader *reader)
{
	CsvReaderState *state = reader->state;
	JsonWindow *window = &state->window;
	const char *end;

	if (!state->started)
	{
		skip_byte_order_mark(window);
		state->started = true;
		state->lines = 1;
	}
	reader->line += state->lines;
	state->lines = 0;
	if (window->position == window->scan.end && !json_window_fill(window))
		return reader->error.code == JSON_ERROR_NONE ? JSON_END : JSON_FAILED;

	do
	{
		state->more = false;
		end = scan_record(reader, window->position);
		/* when there is no more, the scan to follow knows that */
		if (state->more)
			(void) json_window_fill(window);
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

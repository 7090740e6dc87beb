/*-------------------------------------------------------------------------
 *
 * window.c
 *		The part of a JSON document that is in memory, and what was wrong.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY	((size_t) 256 * 1024)

bool
window_init(DocumentWindow *window, JsonRead read, void *arg, JsonError *error)
{
	memset(window, 0, sizeof(*window));
	window->read = read;
	window->arg = arg;
	window->error = error;
	window->capacity = FIRST_CAPACITY;
	window->bytes = malloc(FIRST_CAPACITY + BYTES_PADDING);
	if (window->bytes == NULL)
		return false;
	memset(window->bytes, 0, BYTES_PADDING);
	window->position = window->bytes;
	window->scan.end = window->bytes;
	return true;
}

int64_t
window_offset(const DocumentWindow *window, const char *p)
{
	return window->offset + (p - window->bytes);
}

static bool
grow(DocumentWindow *window)
{
	char	   *bytes;

	if (window->capacity >= JSON_MAX_RECORD)
		return window_fail(window, JSON_ERROR_LIMIT, window->position,
						   "record or value is larger than 256 MB");
	bytes = realloc(window->bytes, window->capacity * 2 + BYTES_PADDING);
	if (bytes == NULL)
		return window_fail(window, JSON_ERROR_MEMORY, window->position, "out of memory");
	window->scan.end = bytes + (window->scan.end - window->bytes);
	window->bytes = bytes;
	window->position = bytes;
	window->capacity *= 2;
	return true;
}

static void
move_to_front(DocumentWindow *window)
{
	size_t		rest = (size_t) (window->scan.end - window->position);

	window->offset += window->position - window->bytes;
	memmove(window->bytes, window->position, rest);
	window->position = window->bytes;
	window->scan.end = window->bytes + rest;
}

bool
window_fill(DocumentWindow *window)
{
	size_t		rest = (size_t) (window->scan.end - window->position);
	size_t		size = rest;

	if (window->at_end || window->error->code != JSON_ERROR_NONE)
		return false;
	move_to_front(window);
	if (rest == window->capacity && !grow(window))
		return false;

	while (size < window->capacity && (size == rest || size < 2 * rest))
	{
		int64_t		got = window->read(window->arg, window->bytes + size,
									   window->capacity - size);

		if (got < 0)
			return window_fail(window, JSON_ERROR_READ, window->scan.end,
							   "the document could not be read");
		if (got == 0)
		{
			window->at_end = true;
			break;
		}
		size += (size_t) got;
	}
	window->scan.end = window->bytes + size;
	memset(window->bytes + size, 0, BYTES_PADDING);
	return size > rest;
}

bool
window_skip_mark(DocumentWindow *window)
{
	while (window->scan.end - window->position < 3 && window_fill(window))
		;
	if (memcmp(window->position, "\xEF\xBB\xBF", 3) != 0)
		return false;
	window->position += 3;
	return true;
}

void
window_go(DocumentWindow *window, int64_t offset)
{
	window->offset = offset;
	window->position = window->bytes;
	window->scan.end = window->bytes;
	memset(window->bytes, 0, BYTES_PADDING);
	window->at_end = false;
	window->newline = false;
}

int
window_peek(DocumentWindow *window)
{
	do
	{
		const char *p = window->position;

		for (; json_is_space(*p); p++)
			window->newline |= *p == '\n';
		window->position = p;
		if (p < window->scan.end)
			return (unsigned char) *p;
	} while (window_fill(window));
	return JSON_NO_BYTE;
}

bool
window_again(DocumentWindow *window)
{
	JsonScan   *scan = &window->scan;

	if (!scan->more)
	{
		/* nothing before it will be needed any more */
		window->position = scan->at;
		return window_fail_here(window, scan->code, scan->what);
	}
	if (window_fill(window))
		return true;
	return window_fail(window, JSON_ERROR_SYNTAX, scan->end,
					   "document is truncated: it ends in the middle of a value");
}

bool
window_skip_value(DocumentWindow *window)
{
	JsonValue	ignored;
	const char *end;

	while ((end = json_scan_value(&window->scan, window->position, window->depth,
								  &ignored)) == NULL)
	{
		if (!window_again(window))
			return false;
	}
	window->position = end;
	return true;
}

bool
window_fail(DocumentWindow *window, JsonErrorCode code, const char *p, const char *message)
{
	JsonError  *error = window->error;
	size_t		length = strlen(message);

	if (error->code != JSON_ERROR_NONE)
		return false;
	error->code = code;
	error->record = window->record;
	error->offset = window_offset(window, p);

	/* a message is never cut inside of a character */
	if (length >= sizeof(error->message))
	{
		length = sizeof(error->message) - 1;
		while (((unsigned char) message[length] & 0xC0) == 0x80)
			length--;
	}
	memcpy(error->message, message, length);
	error->message[length] = '\0';
	return false;
}

size_t
window_printable(char *out, size_t size, const char *p, const char *end)
{
	size_t		used = 0;

	while (p < end && (unsigned char) *p >= ' ' && *p != 0x7F)
	{
		size_t		length = (size_t) bytes_utf8_length(p);

		if (length == 0 || used + length >= size)
			break;
		memcpy(out + used, p, length);
		used += length;
		p += length;
	}
	out[used] = '\0';
	return used;
}

bool
window_fail_here(DocumentWindow *window, JsonErrorCode code, const char *what)
{
	char		piece[32];
	char		message[512];
	const char *p;

	/* how much is quoted must not depend on where the window happens to end */
	while ((size_t) (window->scan.end - window->position) < sizeof(piece) &&
		   window_fill(window))
		;
	p = window->position;
	if (p == window->scan.end)
		snprintf(message, sizeof(message), "document is truncated: %s", what);
	else if (window_printable(piece, sizeof(piece), p, window->scan.end) == 0)
		snprintf(message, sizeof(message), "%s, found byte 0x%02X", what, (unsigned char) *p);
	else
		snprintf(message, sizeof(message), "%s, found: %s%s", what, piece,
				 *p == '<' && window->depth == 0 && window->record <= 1 ? " (is this an HTML page?)" : "");
	return window_fail(window, code, p, message);
}

/* what kind of value begins with c, NULL: none */
static const char *
kind_of_value(int c)
{
	switch (c)
	{
		case '{':
			return "an object";
		case '[':
			return "an array";
		case '"':
			return "a string";
		case 't':
		case 'f':
			return "a boolean";
		case 'n':
			return "null";
		default:
			return c == '-' || (c >= '0' && c <= '9') ? "a number" : NULL;
	}
}

bool
window_fail_shape(DocumentWindow *window, const char *needed)
{
	const char *found = kind_of_value(window_peek(window));
	int64_t		offset;
	char		message[512];

	if (found == NULL)
		return window_fail_here(window, JSON_ERROR_SYNTAX, "expected a value");

	/* a misspelt word is no value; numbers and containers are not read on */
	offset = window_offset(window, window->position);
	if (strchr("\"tfn", *window->position) != NULL && !window_skip_value(window))
		return false;

	snprintf(message, sizeof(message), "%s, found %s", needed, found);
	return window_fail(window, JSON_ERROR_SHAPE,
					   window->bytes + (offset - window->offset), message);
}

bool
window_fail_place(DocumentWindow *window, const char *needed)
{
	bool		null = window_peek(window) == 'n';

	window_fail_shape(window, needed);
	if (null && window->error->code == JSON_ERROR_SHAPE)
		window->error->code = JSON_ERROR_ABSENT;
	return false;
}

/*-------------------------------------------------------------------------
 *
 * json_path.c
 *		Walks down to where a JSON pointer (RFC 6901) points, and out again.
 *
 * The document is streamed, so the first member of the right name is taken
 * before it is known whether it is the only one.  A second one would make it
 * a matter of chance which records are meant: it is refused, which for one
 * that follows the records happens on the way out.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/json_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* the record and the array around it are levels, too */
#define MAX_LENGTH	(JSON_MAX_DEPTH - 2)

/* keys that an object has instead of the one looked for, for a message */
typedef struct SeenKeys
{
	char		text[96];
	size_t		used;
	bool		full;
} SeenKeys;

bool
json_path_unescape(char *name, size_t *length)
{
	size_t		used = 0;

	for (size_t i = 0; i < *length; i++)
	{
		char		c = name[i];

		if (c == '~')
		{
			c = name[++i];
			if (c != '0' && c != '1')
				return false;
			c = c == '0' ? '~' : '/';
		}
		name[used++] = c;
	}
	name[used] = '\0';
	*length = used;
	return true;
}

static const char *
split_pointer(JsonPath *path)
{
	char	   *p = path->names;

	if (*p != '\0' && *p != '/')
		return "it must begin with \"/\"";
	while (*p == '/')
	{
		JsonPathPart *part = &path->parts[path->length];

		if (path->length++ == MAX_LENGTH)
			return "it has too many parts";
		part->name = ++p;
		part->length = strcspn(p, "/");
		p += part->length;
	}

	/* only now, as it writes over the slashes */
	for (int i = 0; i < path->length; i++)
	{
		if (!json_path_unescape(path->parts[i].name, &path->parts[i].length))
			return "\"~\" must be written \"~0\", and \"/\" inside of a key \"~1\"";
	}
	return NULL;
}

bool
json_path_init(JsonPath *path, const char *pointer)
{
	int			parts = 0;

	memset(path, 0, sizeof(*path));
	if (pointer == NULL)
		return true;
	for (const char *p = pointer; *p != '\0'; p++)
		parts += *p == '/';
	path->pointer = strdup(pointer);
	path->names = strdup(pointer);
	path->parts = calloc((size_t) parts + 1, sizeof(JsonPathPart));
	if (path->pointer == NULL || path->names == NULL || path->parts == NULL)
		return false;
	path->problem = split_pointer(path);
	return true;
}

void
json_path_free(JsonPath *path)
{
	free(path->pointer);
	free(path->names);
	free(path->parts);
}

/*
 * How much of the pointer leads to this level, for messages.  The pointer as
 * given is used: its parts are what the user wrote.
 */
static int
prefix_length(const JsonPath *path, int level)
{
	const char *p = path->pointer;

	for (int i = 0; i < level; i++)
		p += 1 + strcspn(p + 1, "/");
	return (int) (p - path->pointer);
}

/* the value at this level is not what the pointer needs there */
static bool
fail_level(const JsonPath *path, DocumentWindow *window, int level, JsonErrorCode code, const char *problem)
{
	char		message[512];
	char		where[128];
	int			length = prefix_length(path, level);

	window_printable(where, sizeof(where), path->pointer, path->pointer + length);
	snprintf(message, sizeof(message), "json_pointer: %s%s%s %s",
			 length > 0 ? "the value at \"" : "the document", where, length > 0 ? "\"" : "",
			 problem);
	return window_fail(window, code, window->position, message);
}

static bool
fail_missing(const JsonPath *path, DocumentWindow *window, int level, const SeenKeys *seen)
{
	char		problem[300];
	char		name[96];

	window_printable(name, sizeof(name), path->parts[level].name,
					 path->parts[level].name + path->parts[level].length);
	if (seen->used == 0)
		snprintf(problem, sizeof(problem), "has no key \"%s\": it is an empty object", name);
	else
		snprintf(problem, sizeof(problem), "has no key \"%s\", only %s%s", name,
				 seen->text, seen->full ? ", ..." : "");
	return fail_level(path, window, level, JSON_ERROR_ABSENT, problem);
}

static void
note_seen(SeenKeys *seen, const JsonValue *key)
{
	char		name[40];

	window_printable(name, sizeof(name), key->start, key->start + key->length);
	if (seen->full || seen->used + strlen(name) + 5 > sizeof(seen->text))
		seen->full = true;
	else
		seen->used += (size_t) sprintf(seen->text + seen->used, "%s\"%s\"",
									   seen->used > 0 ? ", " : "", name);
}

/* 1: the key is this part's name, 0: it is not, -1: out of memory */
static int
compare_key(const JsonPathPart *part, const JsonValue *key)
{
	char	   *name;
	bool		equal;

	/* escapes only ever make a name longer */
	if (key->length < part->length)
		return 0;
	if (!key->escaped)
		return key->length == part->length &&
			memcmp(key->start, part->name, key->length) == 0;
	if ((name = malloc(key->length)) == NULL)
		return -1;
	equal = json_value_unescape_name(key, name) == (int64_t) part->length &&
		memcmp(name, part->name, part->length) == 0;
	free(name);
	return equal;
}

/*
 * Reads a key and the colon behind it.  *match: is it this part's name?  If
 * not, it is noted in seen, unless that is NULL.
 */
static bool
read_key(DocumentWindow *window, const JsonPathPart *part, SeenKeys *seen, bool *match)
{
	JsonValue	key;
	const char *end;
	int			equal;

	if (window_peek(window) != '"')
		return window_fail_here(window, JSON_ERROR_SYNTAX, "expected a key in quotes");
	while ((end = json_scan_string(&window->scan, window->position + 1, &key)) == NULL)
	{
		if (!window_again(window))
			return false;
	}
	if ((equal = compare_key(part, &key)) < 0)
		return window_fail(window, JSON_ERROR_MEMORY, window->position, "out of memory");
	*match = equal > 0;
	if (!*match && seen != NULL)
		note_seen(seen, &key);
	window->position = end;

	if (window_peek(window) != ':')
		return window_fail_here(window, JSON_ERROR_SYNTAX, "expected \":\" after a key");
	window->position++;
	return window_peek(window) != JSON_NO_BYTE ||
		window_fail_here(window, JSON_ERROR_SYNTAX, "expected a value");
}

/* behind a value: *more if a comma follows, not if its container ends */
static bool
read_separator(DocumentWindow *window, bool object, bool *more)
{
	int			c = window_peek(window);

	if (c != ',' && c != (object ? '}' : ']'))
		return window_fail_here(window, JSON_ERROR_SYNTAX,
								object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
	*more = c == ',';
	if (*more)
	{
		window->position++;
		window_peek(window);
	}
	return true;
}

/* behind the opening brace */
static bool
enter_object(const JsonPath *path, DocumentWindow *window, int level)
{
	SeenKeys	seen = {.used = 0};
	bool		more = window_peek(window) != '}';

	while (more)
	{
		bool		match;

		if (!read_key(window, &path->parts[level], &seen, &match))
			return false;
		if (match)
			return true;
		if (!window_skip_value(window) || !read_separator(window, true, &more))
			return false;
	}
	return fail_missing(path, window, level, &seen);
}

/* an index as RFC 6901 has it: no sign, no leading zero; -1: it is none */
static int64_t
part_index(const JsonPathPart *part)
{
	int64_t		index = 0;

	if (part->length == 0 || part->length > 18 || (part->length > 1 && part->name[0] == '0'))
		return -1;
	for (size_t i = 0; i < part->length; i++)
	{
		if (part->name[i] < '0' || part->name[i] > '9')
			return -1;
		index = index * 10 + (part->name[i] - '0');
	}
	return index;
}

/* behind the opening bracket */
static bool
enter_array(const JsonPath *path, DocumentWindow *window, int level)
{
	int64_t		wanted = part_index(&path->parts[level]);
	int64_t		index = 0;
	bool		more = window_peek(window) != ']';
	char		problem[200];
	char		name[64];

	window_printable(name, sizeof(name), path->parts[level].name,
					 path->parts[level].name + path->parts[level].length);
	if (wanted < 0)
	{
		snprintf(problem, sizeof(problem), "is an array, and \"%s\" is no index", name);
		return fail_level(path, window, level, JSON_ERROR_SHAPE, problem);
	}
	for (; more; index++)
	{
		if (index == wanted)
			return true;
		if (!window_skip_value(window) || !read_separator(window, false, &more))
			return false;
	}
	snprintf(problem, sizeof(problem), "has no element %s, only %lld elements", name,
			 (long long) index);
	return fail_level(path, window, level, JSON_ERROR_SHAPE, problem);
}

bool
json_path_enter(const JsonPath *path, DocumentWindow *window)
{
	for (int level = 0; level < path->length; level++)
	{
		int			c = window_peek(window);
		char		needed[200];
		char		where[128];

		window_printable(where, sizeof(where), path->pointer,
						 path->pointer + prefix_length(path, level));
		snprintf(needed, sizeof(needed), "json_pointer needs an object or array at \"%s\"", where);
		if (c != '{' && c != '[')
			return window_fail_place(window, needed);
		path->parts[level].object = c == '{';
		window->position++;
		window->depth++;
		if (!(c == '{' ? enter_object(path, window, level) : enter_array(path, window, level)))
			return false;
	}
	return true;
}

/* skips the rest of this level's container, behind the value of its part */
static bool
leave_level(const JsonPath *path, DocumentWindow *window, int level)
{
	const JsonPathPart *part = &path->parts[level];
	bool		more;

	while (read_separator(window, part->object, &more))
	{
		bool		match = false;

		if (!more)
		{
			window->position++;
			window->depth--;
			return true;
		}
		if (part->object && !read_key(window, part, NULL, &match))
			return false;
		if (match)
			return fail_level(path, window, level, JSON_ERROR_SHAPE, "has the key that leads to the records twice");
		if (!window_skip_value(window))
			return false;
	}
	return false;
}

bool
json_path_leave(const JsonPath *path, DocumentWindow *window)
{
	for (int level = path->length - 1; level >= 0; level--)
	{
		if (!leave_level(path, window, level))
			return false;
	}
	if (window_peek(window) != JSON_NO_BYTE)
		return window_fail_here(window, JSON_ERROR_SYNTAX,
								"more text behind the end of the document");
	return window->error->code == JSON_ERROR_NONE;
}

/*-------------------------------------------------------------------------
 *
 * json_scan.c
 *		Scans and validates one JSON value: strings, numbers, nested values.
 *
 * Nested values are not taken apart, only checked and kept as raw text, with
 * one bit per open container instead of recursion: a hostile document must
 * not be able to choose how deep our stack grows.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/bytes.h"
#include "source/format/json_scan.h"

#define IS_DIGIT(c)		((unsigned char) ((c) - '0') < 10)

const char *
json_scan_fail(JsonScan *scan, JsonErrorCode code, const char *p, const char *what)
{
	scan->more = p >= scan->end;
	scan->code = code;
	scan->at = p;
	scan->what = what;
	return NULL;
}

static const char *
scan_utf8(JsonScan *scan, const char *p)
{
	/* text in other scripts comes in runs: stay here until it ends */
	while ((unsigned char) *p >= 0x80)
	{
		int			length;
		const char *bad = bytes_find_bad_utf8(p, &length);

		if (bad != NULL)
			return json_scan_fail(scan, JSON_ERROR_ENCODING,
								  bad == scan->end ? bad : p, "invalid UTF-8");
		p += length;
	}
	return p;
}

static bool
is_hex(char c)
{
	return IS_DIGIT(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* p: at the backslash */
static const char *
scan_escape(JsonScan *scan, const char *p)
{
	switch (p[1])
	{
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			return p + 2;
		case 'u':
			for (int i = 2; i < 6; i++)
			{
				if (!is_hex(p[i]))
					return json_scan_fail(scan, JSON_ERROR_SYNTAX,
										  p + i == scan->end ? p + i : p,
										  "\\u without four hexadecimal digits");
			}
			return p + 6;
		default:
			return json_scan_fail(scan, JSON_ERROR_SYNTAX,
								  p + 1 == scan->end ? p + 1 : p,
								  "invalid escape sequence in a string");
	}
}

/* start: behind the opening quote; p: at a byte of it that is not plain */
static __attribute__((noinline))
const char *
scan_special_string(JsonScan *scan, const char *start, const char *p, JsonValue *value)
{
	bool		escaped = false;

	for (; *p != '"'; p = bytes_skip_plain(p, '"', '\\'))
	{
		if (*p == '\\')
		{
			escaped = true;
			p = scan_escape(scan, p);
		}
		else if ((unsigned char) *p >= 0x80)
			p = scan_utf8(scan, p);
		else
			return json_scan_fail(scan, JSON_ERROR_SYNTAX, p,
								  "control character in a string");
		if (p == NULL)
			return NULL;
	}
	value->kind = JSON_STRING;
	value->escaped = escaped;
	value->start = start;
	value->length = (size_t) (p - start);
	return p + 1;
}

static inline const char *
scan_string(JsonScan *scan, const char *p, JsonValue *value)
{
	const char *start = p;

	p = bytes_skip_plain(p, '"', '\\');
	if (*p != '"')
		return scan_special_string(scan, start, p, value);
	value->kind = JSON_STRING;
	value->escaped = false;
	value->start = start;
	value->length = (size_t) (p - start);
	return p + 1;
}

const char *
json_scan_string(JsonScan *scan, const char *p, JsonValue *value)
{
	return scan_string(scan, p, value);
}

/* at least one digit, then all that follow */
static inline const char *
scan_digits(JsonScan *scan, const char *p)
{
	if (!IS_DIGIT(*p))
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected a digit");
	return bytes_skip_digits(p + 1);
}

static inline const char *
scan_number(JsonScan *scan, const char *p, JsonValue *value)
{
	const char *start = p;
	const char *digits = *p == '-' ? p + 1 : p;
	JsonKind	kind = JSON_INTEGER;

	if ((p = scan_digits(scan, digits)) == NULL)
		return NULL;
	if (*digits == '0' && p > digits + 1)
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, digits,
							  "number with a leading zero");
	if (*p == '.')
	{
		kind = JSON_DECIMAL;
		if ((p = scan_digits(scan, p + 1)) == NULL)
			return NULL;
	}
	if (*p == 'e' || *p == 'E')
	{
		kind = JSON_DECIMAL;
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if ((p = scan_digits(scan, p)) == NULL)
			return NULL;
	}
	if (p == scan->end)
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "unfinished number");
	value->kind = kind;
	value->escaped = false;
	value->start = start;
	value->length = (size_t) (p - start);
	return p;
}

static const char *
scan_literal(JsonScan *scan, const char *p, const char *word, JsonKind kind,
			 JsonValue *value)
{
	size_t		length = 0;

	for (; word[length] != '\0'; length++)
	{
		if (p[length] != word[length])
			return json_scan_fail(scan, JSON_ERROR_SYNTAX,
								  p + length == scan->end ? p + length : p,
								  "expected a value");
	}
	value->kind = kind;
	value->escaped = false;
	value->start = p;
	value->length = length;
	return p + length;
}

static inline const char *
scan_scalar(JsonScan *scan, const char *p, JsonValue *value)
{
	switch (*p)
	{
		case '"':
			return scan_string(scan, p + 1, value);
		case 't':
			return scan_literal(scan, p, "true", JSON_TRUE, value);
		case 'f':
			return scan_literal(scan, p, "false", JSON_FALSE, value);
		case 'n':
			return scan_literal(scan, p, "null", JSON_NULL, value);
		default:
			if (*p == '-' || IS_DIGIT(*p))
				return scan_number(scan, p, value);
			return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected a value");
	}
}

/* "key" : and the space behind it; p: where the key should begin */
static const char *
scan_member_name(JsonScan *scan, const char *p)
{
	JsonValue	name;

	if (*p != '"')
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected a key in quotes");
	if ((p = scan_string(scan, p + 1, &name)) == NULL)
		return NULL;
	p = json_skip_space(p);
	if (*p != ':')
		return json_scan_fail(scan, JSON_ERROR_SYNTAX, p, "expected \":\" after a key");
	return json_skip_space(p + 1);
}

/* which of the open containers are objects, the outermost first */
typedef struct OpenContainers
{
	int			depth;			/* how many are open */
	uint64_t	objects[JSON_MAX_DEPTH / 64];
} OpenContainers;

static void
open_container(OpenContainers *open, bool object)
{
	uint64_t	bit = UINT64_C(1) << (open->depth % 64);

	if (object)
		open->objects[open->depth / 64] |= bit;
	else
		open->objects[open->depth / 64] &= ~bit;
	open->depth++;
}

static bool
in_object(const OpenContainers *open)
{
	int			level = open->depth - 1;

	return (open->objects[level / 64] >> (level % 64) & 1) != 0;
}

/*
 * Behind a value in an open container: closes every container that ends
 * here.  Returns where the next value begins, or, with open->depth 0, the end
 * of the outermost container.
 */
static const char *
scan_to_next_value(JsonScan *scan, const char *p, OpenContainers *open)
{
	while (open->depth > 0)
	{
		bool		object = in_object(open);

		p = json_skip_space(p);
		if (*p == ',')
		{
			p = json_skip_space(p + 1);
			return object ? scan_member_name(scan, p) : p;
		}
		if (*p != (object ? '}' : ']'))
			return json_scan_fail(scan, JSON_ERROR_SYNTAX, p,
								  object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
		open->depth--;
		p++;
	}
	return p;
}

/*
 * p: at the opening bracket of a container inside depth others.  Kept out of
 * line: it needs registers saved that the scan of a scalar does without.
 */
static __attribute__((noinline))
const char *
scan_container(JsonScan *scan, const char *p, int depth, JsonValue *value)
{
	OpenContainers open;
	const char *start = p;
	JsonValue	ignored;

	open.depth = 0;
	do
	{
		bool		object = *p == '{';

		if (object || *p == '[')
		{
			if (depth + open.depth >= JSON_MAX_DEPTH)
				return json_scan_fail(scan, JSON_ERROR_LIMIT, p, "nested too deeply");
			open_container(&open, object);
			p = json_skip_space(p + 1);
			if (*p == (object ? '}' : ']'))
			{
				open.depth--;
				p++;
			}
			else if (object)
			{
				if ((p = scan_member_name(scan, p)) == NULL)
					return NULL;
				continue;
			}
			else
				continue;
		}
		else if ((p = scan_scalar(scan, p, &ignored)) == NULL)
			return NULL;
		if ((p = scan_to_next_value(scan, p, &open)) == NULL)
			return NULL;
	} while (open.depth > 0);

	value->kind = *start == '{' ? JSON_OBJECT : JSON_ARRAY;
	value->escaped = false;
	value->start = start;
	value->length = (size_t) (p - start);
	return p;
}

/* p: at NaN, Infinity, -Infinity, or something else */
static __attribute__((noinline))
const char *
scan_not_finite(JsonScan *scan, const char *p, JsonValue *value)
{
	const char *word = *p == 'N' ? "NaN" : *p == '-' ? "-Infinity" : "Infinity";

	return scan_literal(scan, p, word, scan->not_finite, value);
}

const char *
json_scan_value(JsonScan *scan, const char *p, int depth, JsonValue *value)
{
	/* most are strings */
	if (*p == '"')
		return scan_string(scan, p + 1, value);
	if (*p == '{' || *p == '[')
		return scan_container(scan, p, depth, value);
	if (scan->not_finite != JSON_ABSENT && (*p == 'N' || *p == 'I' || (*p == '-' && p[1] == 'I')))
		return scan_not_finite(scan, p, value);
	return scan_scalar(scan, p, value);
}

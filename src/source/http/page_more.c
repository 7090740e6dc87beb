/*-------------------------------------------------------------------------
 *
 * page_more.c
 *		Whether a page seems to name another one.
 *
 * A response that is one page of several looks complete.  Services name the next page beside
 * the records, before or behind them, so some bytes of start and end tell.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/page_more.h"

#include <stdio.h>
#include <string.h>

#include "ascii.h"

typedef struct MoreScan
{
	const char *p;
	const char *end;
	char	   *pointer;
	bool		found;
	bool		records;		/* an array has been seen beside */
} MoreScan;

static bool
is_one_of(const char *const *names, size_t n, const char *text, size_t length)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strlen(names[i]) == length && ascii_same(names[i], text, length))
			return true;
	}
	return false;
}

static bool
names_next(const char *text, size_t length)
{
	static const char *const names[] = {
		"next", "next_page", "nextPage", "next_url", "nextUrl", "next_link", "nextLink", "next_page_url",
		"nextPageUrl", "nextPageLink", "nextRecordsUrl", "next_href", "@odata.nextLink", "odata.nextLink"
	};

	return is_one_of(names, sizeof(names) / sizeof(names[0]), text, length);
}

static bool
names_links(const char *text, size_t length)
{
	static const char *const names[] = {"links", "_links", "paging", "pagination", "meta"};

	return is_one_of(names, sizeof(names) / sizeof(names[0]), text, length);
}

static void
skip_blanks(MoreScan *scan)
{
	while (scan->p < scan->end && strchr(" \t\r\n", *scan->p) != NULL && *scan->p != '\0')
		scan->p++;
}

/* Behind a string that begins here.  False: there is none, or it goes on beyond the bytes. */
static bool
skip_string(MoreScan *scan, const char **text, size_t *length)
{
	if (scan->p >= scan->end || *scan->p != '"')
		return false;
	*text = ++scan->p;
	while (scan->p < scan->end && *scan->p != '"')
		scan->p += *scan->p == '\\' ? 2 : 1;
	if (scan->p >= scan->end)
		return false;
	*length = (size_t) (scan->p++ - *text);
	return true;
}

/* Behind an array, an object or another value that is no string. */
static bool
skip_value(MoreScan *scan)
{
	int			depth = 0;

	while (scan->p < scan->end)
	{
		const char *text;
		size_t		length;

		if (depth == 0 && strchr(",}]", *scan->p) != NULL)
			return true;
		if (*scan->p == '"')
		{
			if (!skip_string(scan, &text, &length))
				return false;
			continue;
		}
		depth += *scan->p == '[' || *scan->p == '{';
		depth -= *scan->p == ']' || *scan->p == '}';
		scan->p++;
		if (depth == 0 && (scan->p[-1] == ']' || scan->p[-1] == '}'))
			return true;
	}
	return false;
}

static bool
is_target(const char *text, size_t length)
{
	return length > 1 && (text[0] == '/' || text[0] == '?' || (length > 8 && ascii_same(text, "http", 4)) ||
						  (text[0] == '\\' && text[1] == '/'));
}

/* Reads the pairs of an object from here.  parent: the name of the object in the document, or "". */
static void
read_pairs(MoreScan *scan, const char *parent, int parent_length)
{
	for (;;)
	{
		const char *name;
		const char *value;
		size_t		name_length;
		size_t		length;

		skip_blanks(scan);
		if (!skip_string(scan, &name, &name_length))
			return;
		skip_blanks(scan);
		if (scan->p >= scan->end || *scan->p++ != ':')
			return;
		skip_blanks(scan);
		if (scan->p >= scan->end)
			return;
		scan->records = scan->records || *scan->p == '[';
		if (*scan->p == '"')
		{
			if (!skip_string(scan, &value, &length))
				return;
			if (!scan->found && names_next(name, name_length) && is_target(value, length))
			{
				scan->found = true;
				snprintf(scan->pointer, PAGE_MORE_POINTER, "%s%.*s/%.*s", parent_length > 0 ? "/" : "",
						 parent_length, parent, (int) name_length, name);
			}
		}
		else if (parent_length == 0 && *scan->p == '{' && names_links(name, name_length))
		{
			scan->p++;
			read_pairs(scan, name, (int) name_length);
			skip_blanks(scan);
			if (scan->p >= scan->end || *scan->p++ != '}')
				return;
		}
		else if (!skip_value(scan))
			return;
		skip_blanks(scan);
		if (scan->p >= scan->end || *scan->p != ',')
			return;
		scan->p++;
	}
}

bool
page_more_find(const char *start, size_t start_length, const char *end, size_t end_length, char *pointer)
{
	MoreScan	scan = {.p = start, .end = start + start_length, .pointer = pointer};
	const char *behind = NULL;

	skip_blanks(&scan);
	if (scan.p >= scan.end || *scan.p++ != '{')
		return false;
	read_pairs(&scan, "", 0);
	if (scan.found)
		return scan.records || start_length == PAGE_MORE_SIZE;
	/* the records end with the last bracket, unless a text behind them has one */
	for (size_t i = 0; i < end_length; i++)
		behind = end[i] == ']' ? end + i + 1 : behind;
	if (behind == NULL)
		return false;
	scan.p = behind;
	scan.end = end + end_length;
	skip_blanks(&scan);
	if (scan.p >= scan.end || *scan.p++ != ',')
		return false;
	read_pairs(&scan, "", 0);
	return scan.found;
}

/*-------------------------------------------------------------------------
 *
 * page_link.c
 *		Where the next page of a response is: the header Link, and queries.
 *
 * A header is looked at in libcurl's callback, where nothing may allocate or raise an error.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/page_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "percent.h"

/* ---- the header Link ---- */

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* Behind a parameter's value, which begins at p. */
static const char *
skip_value(const char *p, const char *end, const char **value, size_t *length)
{
	bool		quoted = p < end && *p == '"';

	*value = p += quoted;
	while (p < end && (quoted ? *p != '"' : *p != ';' && *p != ',' && *p != ' ' && *p != '\t' && *p != '\r'))
		p += *p == '\\' && quoted && p + 1 < end ? 2 : 1;
	*length = (size_t) (p - *value);
	return p < end && quoted ? p + 1 : p;
}

/* Is "next" among the relations, which blanks separate? */
static bool
has_next(const char *value, size_t length)
{
	const char *end = value + length;

	while (value < end)
	{
		const char *word = value = skip_blanks(value, end);

		while (value < end && *value != ' ' && *value != '\t')
			value++;
		if (value - word == 4 && ascii_same(word, "next", 4))
			return true;
	}
	return false;
}

/* Behind the parameters of a link.  *next: the link is one to the next page of this response. */
static const char *
read_parameters(const char *p, const char *end, bool *next)
{
	bool		elsewhere = false;

	*next = false;
	while ((p = skip_blanks(p, end)) < end && *p == ';')
	{
		const char *name = p = skip_blanks(p + 1, end);
		const char *value = NULL;
		size_t		name_length;
		size_t		length = 0;

		while (p < end && *p != '=' && *p != ';' && *p != ',' && *p != ' ' && *p != '\t')
			p++;
		name_length = (size_t) (p - name);
		p = skip_blanks(p, end);
		if (p < end && *p == '=')
			p = skip_value(skip_blanks(p + 1, end), end, &value, &length);
		if (value != NULL && name_length == 3 && ascii_same(name, "rel", 3))
			*next = *next || has_next(value, length);
		elsewhere = elsewhere || (name_length == 6 && ascii_same(name, "anchor", 6));
	}
	*next = *next && !elsewhere;
	return p;
}

void
page_link_keep(const char *line, size_t length, char *out, size_t size)
{
	const char *end = line + length;
	const char *p = line + 5;

	if (length < 5 || !ascii_same(line, "Link:", 5))
		return;
	while (p < end && (p = memchr(p, '<', (size_t) (end - p))) != NULL)
	{
		const char *target = p + 1;
		const char *close = memchr(target, '>', (size_t) (end - target));
		bool		next;

		if (close == NULL)
			return;
		p = read_parameters(close + 1, end, &next);
		if (next)
		{
			size_t		n = (size_t) (close - target) < size - 1 ? (size_t) (close - target) : size - 1;

			memcpy(out, target, n);
			out[n] = '\0';
			return;
		}
	}
}

/* ---- queries ---- */

typedef struct QueryOutput
{
	char	   *next;
	size_t		left;			/* without the NUL's place */
	bool		full;
} QueryOutput;

static void
add_bytes(QueryOutput *out, const char *text, size_t length)
{
	out->full = out->full || length > out->left;
	if (out->full)
		return;
	memcpy(out->next, text, length);
	out->next += length;
	out->left -= length;
	*out->next = '\0';
}

static QueryOutput
begin_output(char *out, size_t size)
{
	*out = '\0';
	return (QueryOutput) {out, size - 1, false};
}

/* The query's pair with a key, or NULL. */
static const char *
find_pair(const char *query, const char *key, size_t key_length)
{
	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&#");

		if (length >= key_length && strncmp(query, key, key_length) == 0 &&
			(length == key_length || query[key_length] == '='))
			return query;
		query += length + (query[length] != '\0');
	}
	return NULL;
}

bool
page_link_set_query(const char *url, const char *query, char *buffer, size_t size)
{
	QueryOutput out = begin_output(buffer, size);
	size_t		path = strcspn(url, "?#");
	const char *p = url + path + (url[path] == '?');
	char		separator = '?';

	add_bytes(&out, url, path);
	while (url[path] == '?' && *p != '\0' && *p != '#')
	{
		size_t		length = strcspn(p, "&#");

		if (length > 0 && find_pair(query, p, strcspn(p, "=&#")) == NULL)
		{
			add_bytes(&out, &separator, 1);
			add_bytes(&out, p, length);
			separator = '&';
		}
		p += length + (p[length] == '&');
	}
	add_bytes(&out, &separator, 1);
	add_bytes(&out, query, strlen(query));
	return !out.full;
}

bool
page_link_add_query(const char *url, const char *query, char *buffer, size_t size)
{
	QueryOutput out = begin_output(buffer, size);
	size_t		path = strcspn(url, "?#");
	const char *own = url[path] == '?' ? url + path + 1 : "";
	char		separator = url[path] == '?' ? '&' : '?';

	add_bytes(&out, url, strcspn(url, "#"));
	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&");

		if (find_pair(own, query, strcspn(query, "=&")) == NULL)
		{
			add_bytes(&out, &separator, 1);
			add_bytes(&out, query, length);
			separator = '&';
		}
		query += length + (query[length] == '&');
	}
	return !out.full;
}

bool
page_link_pair(const char *key, const char *text, char *buffer, size_t size)
{
	QueryOutput out = begin_output(buffer, size);

	add_bytes(&out, key, strlen(key));
	add_bytes(&out, "=", 1);
	for (; *text != '\0'; text++)
	{
		char		encoded[PERCENT_LENGTH];
		size_t		length = percent_encode(*text, encoded);

		add_bytes(&out, encoded, length);
	}
	return !out.full;
}

bool
page_link_expand(const char *template, int64_t index, int64_t first, int64_t limit,
				 char *buffer, size_t size)
{
	const struct
	{
		const char *name;
		int64_t		number;
	}			places[] = {{"{page}", first + index}, {"{offset}", index * limit}, {"{limit}", limit}};
	QueryOutput out = begin_output(buffer, size);

	while (*template != '\0')
	{
		size_t		length = 1;
		char		number[24] = "";

		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		{
			if (strncmp(template, places[i].name, strlen(places[i].name)) != 0)
				continue;
			length = strlen(places[i].name);
			snprintf(number, sizeof(number), "%" PRId64, places[i].number);
		}
		if (number[0] != '\0')
			add_bytes(&out, number, strlen(number));
		else
			add_bytes(&out, template, 1);
		template += length;
	}
	return !out.full;
}

int
page_link_first(const char *url, const char *template)
{
	const char *value = strstr(template, "={page}");
	const char *query = strchr(url, '?');
	const char *key = value;
	const char *pair;

	if (value == NULL || query == NULL)
		return 0;
	while (key > template && key[-1] != '&')
		key--;
	pair = find_pair(query + 1, key, (size_t) (value - key));
	if (pair == NULL || pair[value - key] != '=')
		return 0;
	return atoi(pair + (value - key) + 1);
}

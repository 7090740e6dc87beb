/*-------------------------------------------------------------------------
 *
 * http_text.c
 *		What a source says about an error, made into text that can be shown.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/http_text.h"

#include <string.h>

#include <jansson.h>

#include "ascii.h"
#include "secret/wiping.h"

bool
http_text_is_page(const char *content_type, const char *start, size_t length)
{
	static const char *const marks[] = {"<!doctype html", "<html"};
	const char *end = start + length;
	bool		declared = ascii_same(content_type, "text/html", 9) ||
	ascii_same(content_type, "application/xhtml", 17);

	if (length >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0)
		start += 3;
	while (start < end && strchr(" \t\r\n", *start) != NULL && *start != '\0')
		start++;
	if (start == end || *start != '<')
		return false;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
	{
		if ((size_t) (end - start) >= strlen(marks[i]) && ascii_same(start, marks[i], strlen(marks[i])))
			return true;
	}
	return declared;
}

static const char *
skip_element(const char *text, const char *name)
{
	size_t		n = strlen(name);

	if (!ascii_same(text, name, n))
		return NULL;
	for (text += n; *text != '\0'; text++)
	{
		if (text[0] == '<' && text[1] == '/' && ascii_same(text + 2, name + 1, n - 1))
			return text;
	}
	return text;
}

void
http_text_strip_tags(char *text)
{
	const char *in = text;
	char	   *out = text;

	while (*in != '\0')
	{
		const char *after;

		if (*in != '<')
		{
			*out++ = *in++;
			continue;
		}
		if ((after = skip_element(in, "<script")) != NULL ||
			(after = skip_element(in, "<style")) != NULL)
			in = after;
		while (*in != '\0' && *in != '>')
			in++;
		if (*in == '>')
			in++;
		*out++ = ' ';
	}
	*out = '\0';
}

/* a member's text; the member may itself be an object that has a message */
static const char *
member_text(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	if (json_is_object(member))
		member = json_object_get(member, "message");
	return json_is_string(member) ? json_string_value(member) : NULL;
}

/* as much as there is room for */
static void
append(char *out, size_t size, const char *text)
{
	size_t		used = strlen(out);
	size_t		length = strlen(text);

	if (length > size - used - 1)
		length = size - used - 1;
	memcpy(out + used, text, length);
	out[used + length] = '\0';
}

bool
http_text_of_problem(const char *body, size_t length, char *out, size_t size)
{
	static const char *const names[] = {"title", "detail", "message", "error", "error_description"};
	json_malloc_t saved_malloc;
	json_free_t saved_free;
	json_t	   *root;

	json_get_alloc_funcs(&saved_malloc, &saved_free);
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	root = json_loadb(body, length, 0, NULL);
	out[0] = '\0';
	for (size_t i = 0; json_is_object(root) && i < sizeof(names) / sizeof(names[0]); i++)
	{
		const char *text = member_text(root, names[i]);

		if (text == NULL || text[0] == '\0')
			continue;
		if (out[0] != '\0')
			append(out, size, ": ");
		append(out, size, text);
	}
	json_decref(root);
	json_set_alloc_funcs(saved_malloc, saved_free);
	return out[0] != '\0';
}

/*-------------------------------------------------------------------------
 *
 * fuzz_csv_options.c
 *		libFuzzer harness of the manifest's csv_* params.
 *
 * The input's lines are values of csv_quote, csv_escape, csv_delimiter and
 * csv_has_header.  Whatever they are, what is accepted must be what the reader
 * can work with: single bytes that are no part of a value, and different from
 * each other.
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "manifest/manifest.h"

#include "check.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {"csv_quote", "csv_escape", "csv_delimiter", "csv_has_header"};

/* a YAML text in double quotes, which may hold anything */
static char *
put_value(char *out, const uint8_t *value, size_t length)
{
	out += sprintf(out, "\"");
	for (size_t i = 0; i < length; i++)
		out += sprintf(out, "\\x%02X", value[i]);
	return out + sprintf(out, "\"");
}

typedef struct Line
{
	const uint8_t *text;		/* NULL: left out */
	size_t		length;
} Line;

static bool
is_text(const Line * line, const char *text)
{
	return line->length == strlen(text) && memcmp(line->text, text, line->length) == 0;
}

/* what an accepted value has become */
static char
byte_of(const json_t *definition, const char *key, const Line * line)
{
	const char *text = json_string_value(json_object_get(definition, key));

	CHECK(text != NULL && strlen(text) <= 1);
	CHECK(text[0] == '\0' || ((unsigned char) text[0] < 0x80 && !isalnum((unsigned char) text[0]) &&
							  strchr("\r\n+-.", text[0]) == NULL));
	if (line->text != NULL)
		CHECK(is_text(line, text) || (text[0] == '\t' && is_text(line, "\\t")));
	return text[0];
}

static void
check_definition(const char *definition, const Line * lines)
{
	json_t	   *root = json_loads(definition, 0, NULL);
	char		quote = byte_of(root, "csv_quote", &lines[0]);
	char		escape = byte_of(root, "csv_escape", &lines[1]);
	char		delimiter = byte_of(root, "csv_delimiter", &lines[2]);

	CHECK(delimiter != '\0' && delimiter != quote && delimiter != escape);
	CHECK(json_object_get(root, "csv_has_header") == NULL || json_is_true(json_object_get(root, "csv_has_header")));
	json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size * 4 + 500);
	char	   *out = text;
	const uint8_t *end = data + size;
	Manifest   *manifest;
	Line		lines[sizeof(keys) / sizeof(keys[0])] = {0};

	out += sprintf(out, "version: v1\nkind: Spicepod\nname: f\ndatasets:\n- from: http://h/c.csv\n"
				   "  name: c\n  params:\n    file_format: csv\n");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && data < end; i++)
	{
		const uint8_t *newline = memchr(data, '\n', (size_t) (end - data));
		size_t		length = (size_t) ((newline != NULL ? newline : end) - data);

		/* "-" leaves it out */
		if (length != 1 || data[0] != '-')
		{
			lines[i] = (Line) {data, length};
			out += sprintf(out, "    %s: ", keys[i]);
			out = put_value(out, data, length);
			out += sprintf(out, "\n");
		}
		data = newline != NULL ? newline + 1 : end;
	}
	manifest = manifest_parse(text, (size_t) (out - text));
	CHECK(!manifest->broken || manifest->n_problems > 0);
	for (int i = 0; i < manifest->n_datasets; i++)
	{
		if (manifest->datasets[i].definition != NULL)
			check_definition(manifest->datasets[i].definition, lines);
		else
			CHECK(manifest->n_problems > 0);
	}
	manifest_free(manifest);
	free(text);
	return 0;
}

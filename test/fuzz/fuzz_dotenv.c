/*-------------------------------------------------------------------------
 *
 * fuzz_dotenv.c
 *		libFuzzer harness of files of KEY=value lines.
 *
 * What has been read is written down again, quoted, and must be read as the
 * same; a line that is refused must be one of the text's.
 *
 *-------------------------------------------------------------------------
 */
#include "secret/dotenv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
append(char **out, const char *text)
{
	size_t		length = strlen(text);

	memcpy(*out, text, length);
	*out += length;
}

static void
append_quoted(char **out, const char *value)
{
	*(*out)++ = '"';
	for (; *value != '\0'; value++)
	{
		if (*value == '"' || *value == '\\')
			*(*out)++ = '\\';
		*(*out)++ = *value;
	}
	*(*out)++ = '"';
}

static void
check_again(const Dotenv *dotenv, size_t size)
{
	char	   *text = calloc(8, size + 8);
	char	   *out = text;
	Dotenv		again = {0};

	for (size_t i = 0; i < dotenv->count; i++)
	{
		append(&out, dotenv->entries[i].key);
		append(&out, "=");
		append_quoted(&out, dotenv->entries[i].value);
		append(&out, "\n");
	}
	CHECK(dotenv_parse(&again, text) == 0);
	CHECK(again.count == dotenv->count);
	for (size_t i = 0; i < dotenv->count; i++)
	{
		const char *key = dotenv->entries[i].key;

		CHECK(strcmp(again.entries[i].key, key) == 0);
		CHECK(strcmp(again.entries[i].value, dotenv->entries[i].value) == 0);
		CHECK(strcmp(dotenv_get(&again, key), dotenv_get(dotenv, key)) == 0);
	}
	dotenv_free(&again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = calloc(1, size + 1);
	Dotenv		dotenv = {0};
	int			line;
	int			lines = 1;

	memcpy(text, data, size);
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	line = dotenv_parse(&dotenv, text);
	CHECK(line >= 0 && line <= lines);
	if (line == 0)
		check_again(&dotenv, size);
	dotenv_free(&dotenv);
	free(text);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * fuzz_http_text.c
 *		libFuzzer harness of what is shown of an answer that is an error.
 *
 * The input is an answer.  No tag is left of it, and no text of it exceeds its buffer.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/http_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_tags(const char *answer)
{
	char	   *text = strdup(answer);

	http_text_strip_tags(text);
	CHECK(strchr(text, '<') == NULL && strlen(text) <= strlen(answer));
	free(text);
}

static void
check_problem(const char *answer, size_t length)
{
	char		small[10];
	char		large[5000];
	bool		found = http_text_of_problem(answer, length, large, sizeof(large));

	CHECK(http_text_of_problem(answer, length, small, sizeof(small)) == found);
	CHECK(found == (large[0] != '\0'));
	CHECK(strlen(small) < sizeof(small) && strncmp(small, large, strlen(small)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *answer = calloc(1, size + 1);

	memcpy(answer, data, size);
	check_tags(answer);
	check_problem(answer, size);
	free(answer);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * fuzz_http_text.c
 *		libFuzzer harness of what is shown of an answer that is an error.
 *
 * The input is a secret, a NUL, and an answer.  Shown or not, the secret must
 * not be in what is left, and nothing may grow.
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
check_struck(const char *answer, const char *secret)
{
	char	   *text = strdup(answer);

	if (http_text_strike(text, secret) && secret[0] != '\0')
		CHECK(strstr(text, secret) == NULL);
	CHECK(strlen(text) <= strlen(answer));
	free(text);
}

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
	char	   *secret = calloc(1, size + 2);
	const char *answer;
	size_t		length;

	memcpy(secret, data, size);
	answer = secret + strlen(secret) + 1;
	length = answer - secret > (ptrdiff_t) size ? 0 : size - (size_t) (answer - secret);
	check_struck(answer, secret);
	check_tags(answer);
	check_problem(answer, length);
	free(secret);
	return 0;
}

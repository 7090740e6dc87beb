/*-------------------------------------------------------------------------
 *
 * fuzz_http_header.c
 *		libFuzzer harness of headers: an answer's, and the manifest's.
 *
 * What is kept of an answer fits, is one printable line, and stood in the
 * answer.  What the manifest's text is taken for can be sent: names are
 * tokens, values have no line break and no blanks around them, and writing the
 * headers down again gives the same headers.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/http_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/http/http_pause.h"

#include "check.h"

#define DAY		(24 * 60 * 60)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const char *line, size_t length)
{
	char		small[8] = "before";
	char		large[4096] = "before";

	http_header_keep(line, length, "Retry-After", small, sizeof(small));
	http_header_keep(line, length, "Retry-After", large, sizeof(large));
	CHECK(memchr(small, '\0', sizeof(small)) != NULL && memchr(large, '\0', sizeof(large)) != NULL);
	if (strlen(large) < sizeof(small))
		CHECK(strcmp(small, large) == 0);
	else
		CHECK(small[0] == '\0');
	if (strcmp(large, "before") == 0)
		return;
	CHECK(large[0] == '\0' || memmem(line, length, large, strlen(large)) != NULL);
	CHECK(http_header_control(large) == 0 || strchr(large, '\t') != NULL);
	for (time_t now = 0; now < 5000000000; now += 1000000007)
	{
		int			seconds = http_header_retry_after(large, now);

		CHECK(seconds >= 0 && seconds <= DAY);
	}
}

static void
append(char **out, const char *text, size_t length)
{
	memcpy(*out, text, length);
	*out += length;
}

/* "Name: value, Other: value"; *n: how many headers; NULL: refused */
static char *
rewrite(const char *text, int *n)
{
	HttpHeaderScan scan = {.rest = text};
	char	   *again = calloc(3, strlen(text) + 1);
	char	   *out = again;

	while (http_header_scan(&scan))
	{
		CHECK(scan.name >= text && scan.name_length > 0);
		CHECK(scan.value >= scan.name + scan.name_length + 1);
		CHECK(scan.value + scan.value_length <= text + strlen(text));
		CHECK(memchr(scan.name, ' ', scan.name_length) == NULL && memchr(scan.name, ':', scan.name_length) == NULL);
		if (scan.value_length > 0)
			CHECK(strchr(" \t", scan.value[0]) == NULL && strchr(" \t", scan.value[scan.value_length - 1]) == NULL);
		if (out > again)
			append(&out, ", ", 2);
		append(&out, scan.name, scan.name_length);
		append(&out, ": ", 2);
		append(&out, scan.value, scan.value_length);
	}
	*n = scan.number;
	if (scan.problem == NULL)
		return again;
	CHECK(scan.hint != NULL);
	free(again);
	return NULL;
}

/* A pause is at most a day, whatever a source writes. */
static void
check_pause(const char *line, size_t length)
{
	static const char *const names[] = {
		"Retry-After: ", "retry-after-ms: ", "X-RateLimit-Reset: ", "RateLimit: "
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		HttpPause	pause = {.remaining = "0"};
		size_t		name = strlen(names[i]);
		char	   *whole = malloc(name + length);

		memcpy(whole, names[i], name);
		memcpy(whole + name, line, length);
		http_pause_keep(&pause, whole, name + length);
		free(whole);
		for (time_t now = 0; now < 5000000000; now += 1000000007)
		{
			int64_t		ms = http_pause_ms(&pause, now);

			CHECK(ms >= 0 && ms <= (int64_t) DAY * 1000);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* exactly as long as the line, so that reading beyond it is seen */
	char	   *line = malloc(size > 0 ? size : 1);
	char	   *text = calloc(1, size + 1);
	char	   *once;
	char	   *twice;
	int			n;
	int			n_again;

	memcpy(line, data, size);
	memcpy(text, data, size);
	check_line(line, size);
	check_pause(line, size);
	if (http_header_control(text) == 0 && (once = rewrite(text, &n)) != NULL)
	{
		twice = rewrite(once, &n_again);
		CHECK(twice != NULL && n == n_again && strcmp(once, twice) == 0);
		free(twice);
		free(once);
	}
	free(text);
	free(line);
	return 0;
}

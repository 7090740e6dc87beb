/*-------------------------------------------------------------------------
 *
 * http_pause.c
 *		How long a source asks to wait before the next request.
 *
 * A source that refuses a request says Retry-After, or one of its variants in ms.  One that
 * counts requests says how many are left until when, under several names: seconds from now,
 * or seconds or ms since 1970, or a date.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/http_pause.h"

#include <stdlib.h>
#include <string.h>

#include "source/http/http_header.h"

#define A_DAY_MS		((int64_t) 24 * 60 * 60 * 1000)
#define FIRST_EPOCH		1000000000	/* a smaller number is no time since 1970 */
#define FIRST_EPOCH_MS	INT64_C(1000000000000)

void
http_pause_keep(HttpPause *pause, const char *line, size_t length)
{
	static const char *const ms[] = {"retry-after-ms", "x-retry-after-ms"};
	static const char *const remaining[] = {"X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining"};
	static const char *const reset[] = {"X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset"};

	http_header_keep(line, length, "Retry-After", pause->retry_after, sizeof(pause->retry_after));
	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
		http_header_keep(line, length, ms[i], pause->retry_after_ms, sizeof(pause->retry_after_ms));
	for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
	{
		http_header_keep(line, length, remaining[i], pause->remaining, sizeof(pause->remaining));
		http_header_keep(line, length, reset[i], pause->reset, sizeof(pause->reset));
	}
	http_header_keep(line, length, "RateLimit", pause->rate_limit, sizeof(pause->rate_limit));
}

static int64_t
at_most_a_day(int64_t ms)
{
	return ms < 0 ? 0 : ms > A_DAY_MS ? A_DAY_MS : ms;
}

static int64_t
reset_ms(const char *text, time_t now)
{
	size_t		digits = strspn(text, "0123456789");
	int64_t		number;

	if (digits == 0 || digits > 15 || (text[digits] != '\0' && text[digits] != '.'))
		return (int64_t) http_header_retry_after(text, now) * 1000;
	number = strtoll(text, NULL, 10);
	if (number >= FIRST_EPOCH_MS)
		return at_most_a_day(number - (int64_t) now * 1000);
	if (number >= FIRST_EPOCH)
		return at_most_a_day((number - (int64_t) now) * 1000);
	return at_most_a_day(number * 1000);
}

/* The number behind "name=", or -1. */
static int64_t
parameter(const char *text, const char *name)
{
	size_t		length = strlen(name);

	for (const char *p = strstr(text, name); p != NULL; p = strstr(p + 1, name))
	{
		char	   *end;
		long long	number;

		if (p[length] != '=' || (p > text && strchr(",; ", p[-1]) == NULL))
			continue;
		number = strtoll(p + length + 1, &end, 10);
		return end > p + length + 1 && number >= 0 && number < FIRST_EPOCH_MS ? number : -1;
	}
	return -1;
}

/* "limit=100, remaining=0, reset=5", or "name";r=0;t=5 */
static int64_t
rate_limit_ms(const char *text)
{
	if (parameter(text, "remaining") == 0 && parameter(text, "reset") > 0)
		return at_most_a_day(parameter(text, "reset") * 1000);
	if (parameter(text, "r") == 0 && parameter(text, "t") > 0)
		return at_most_a_day(parameter(text, "t") * 1000);
	return 0;
}

int64_t
http_pause_ms(const HttpPause *pause, time_t now)
{
	size_t		digits = strspn(pause->retry_after_ms, "0123456789");

	if (digits > 0 && digits < 16)
		return at_most_a_day(strtoll(pause->retry_after_ms, NULL, 10));
	if (pause->retry_after[0] != '\0')
		return (int64_t) http_header_retry_after(pause->retry_after, now) * 1000;
	if (pause->remaining[0] != '\0' && pause->remaining[strspn(pause->remaining, "0")] == '\0')
		return reset_ms(pause->reset, now);
	return rate_limit_ms(pause->rate_limit);
}

/*-------------------------------------------------------------------------
 *
 * http_pause_test.c
 *		Tests how long a source asks to wait (http_pause.c), and what a token server says
 *		(token_answer.c), on the host; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "source/http/http_pause.h"
#include "source/http/token_answer.h"

#include "tap.h"

#define NOW		((time_t) 1767323045)	/* 2026-01-02 03:04:05 UTC */

/* lines: headers, each of which ends in a line break */
static void
check_pause(const char *lines, int64_t wanted)
{
	HttpPause	pause;
	int64_t		ms;

	memset(&pause, 0, sizeof(pause));
	for (const char *p = lines; *p != '\0'; p += strcspn(p, "\n") + 1)
		http_pause_keep(&pause, p, strcspn(p, "\n") + 1);
	ms = http_pause_ms(&pause, NOW);
	check(ms == wanted, "%s: %lld ms", lines, (long long) ms);
}

static void
test_pauses(void)
{
	check_pause("", 0);
	check_pause("Retry-After: 7\n", 7000);
	check_pause("Retry-After: Fri, 02 Jan 2026 03:04:15 GMT\n", 10000);
	check_pause("Retry-After: 999999999\n", 86400000);
	check_pause("retry-after-ms: 250\nRetry-After: 1\n", 250);
	check_pause("X-Retry-After-Ms: 1500\n", 1500);
	check_pause("X-RateLimit-Remaining: 3\nX-RateLimit-Reset: 1767323055\n", 0);
	check_pause("X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767323055\n", 10000);
	check_pause("X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767323055000\n", 10000);
	check_pause("X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767323000\n", 0);
	check_pause("RateLimit-Remaining: 0\nRateLimit-Reset: 5\n", 5000);
	check_pause("X-Rate-Limit-Remaining: 0\nX-Rate-Limit-Reset: 2.5\n", 2000);
	check_pause("RateLimit: limit=100, remaining=0, reset=5\n", 5000);
	check_pause("RateLimit: limit=100, remaining=1, reset=5\n", 0);
	check_pause("RateLimit: \"default\";r=0;t=30\n", 30000);
	check_pause("RateLimit: \"default\";r=9;t=30\n", 0);
}

static void
check_answer(const char *text, const char *token, const char *refresh, int life, const char *fault)
{
	TokenAnswer answer;

	token_answer_read(text, 20, &answer);
	check((answer.fault != NULL) == (fault != NULL) &&
		  (fault != NULL ? strstr(answer.fault, fault) != NULL :
		   strcmp(answer.token, token) == 0 && answer.life_s == life &&
		   (refresh != NULL) == (answer.refresh_token != NULL) &&
		   (refresh == NULL || strcmp(refresh, answer.refresh_token) == 0)),
		  "%s: %s", text, answer.fault != NULL ? answer.fault : "a token");
	token_answer_free(&answer);
}

static void
test_answers(void)
{
	check_answer("{\"access_token\": \"abc\", \"token_type\": \"bearer\", \"expires_in\": 60}", "abc", NULL, 60, NULL);
	check_answer("{\"access_token\": \"abc\", \"expires_in\": \"60\", \"refresh_token\": \"r\"}", "abc", "r", 60, NULL);
	check_answer("{\"access_token\": \"abc\", \"expires_in\": 1e300}", "abc", NULL, 86400, NULL);
	check_answer("{\"access_token\": \"abc\", \"expires_in\": -1}", "abc", NULL, 0, NULL);
	check_answer("{\"access_token\": \"abc\", \"token_type\": \"mac\"}", NULL, NULL, 0, "token_type");
	check_answer("{\"access_token\": \"a b\"}", NULL, NULL, 0, "no header");
	check_answer("{\"access_token\": \"012345678901234567890\"}", NULL, NULL, 0, "too long");
	check_answer("{\"access_token\": 7}", NULL, NULL, 0, "no access_token");
	check_answer("[]", NULL, NULL, 0, "no JSON object");
	check_answer("<html>", NULL, NULL, 0, "no JSON object");
	check_answer("", NULL, NULL, 0, "no JSON object");
}

int
main(void)
{
	test_pauses();
	test_answers();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

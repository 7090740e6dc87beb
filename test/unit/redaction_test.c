/*-------------------------------------------------------------------------
 *
 * redaction_test.c
 *		Tests what is found of secrets in texts (src/secret/redaction.c); prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "secret/redaction.h"
#include "tap.h"

static Redaction * redaction;

static void
expect(bool found, const char *text)
{
	check(redaction_finds(redaction, text) == found, "%s: %s", found ? "found" : "not found", text);
}

static void
expect_struck(const char *text, const char *struck)
{
	char		copy[200];

	strcpy(copy, text);
	redaction_strike(redaction, copy);
	check(strcmp(copy, struck) == 0, "%s becomes %s", text, copy);
}

int
main(void)
{
	redaction = redaction_create();
	redaction_add(redaction, "sk_live/4eC3+9Hq");
	redaction_add(redaction, "ab'c");
	redaction_add(redaction, "");
	redaction_add(redaction, "key");

	expect(true, "Invalid key: sk_live/4eC3+9Hq");
	expect(true, "Invalid key: sk_liv...");
	expect(true, "Invalid key: ...C3+9Hq");
	expect(false, "Invalid key: sk_li...");
	expect(true, "sk_l\\u0069ve");
	expect(true, "live\\/4eC3");
	expect(true, "live%2F4eC3");
	expect(true, "live%252F4eC3");
	expect(true, "4eC3&#43;9Hq");
	expect(true, "4eC3&#x2B;9Hq");
	expect(true, "4eC3&plus;9Hq");
	expect(true, "4eC3&amp;#43;9Hq");
	expect(true, "ab'c");
	expect(true, "ab&#39;c");
	expect(true, "ab&apos;c");
	expect(false, "ab'd");
	expect(true, "dXNlcjpza19saXZlLzRlQzMrOUhx");	/* user:sk_live/4eC3+9Hq */
	expect(true, "Basic xxdXNlcjpza19saXZlLzRlQzMrOUhx");
	expect(true, "c2tfbGl2ZS80ZUMzKzlIcQ==");
	expect(false, "c2tfbGk");
	expect(false, "");
	expect(false, "100 % of it, \\ and & and &#; and &#x; and \\u and %");
	expect_struck("key sk_live/4eC3+9Hq, ab'c", "key ****************, ****");
	expect_struck("key sk_live, and no more", "key *******, and no more");
	expect_struck("Basic dXNlcjpza19saXZlLzRlQzMrOUhx==, refused", "Basic ****************************==, refused");
	expect_struck("live%2F4eC3", "live%2F4eC3");
	redaction_free(redaction);
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

/*-------------------------------------------------------------------------
 *
 * page_link_test.c
 *		Tests where the next page is (page_link.c) on the host; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "source/http/page_link.h"

#include "tap.h"

static void
check_link(const char *line, const char *wanted)
{
	char		found[32] = "";

	page_link_keep(line, strlen(line), found, sizeof(found));
	check(strcmp(found, wanted) == 0, "\"%s\" leads to \"%s\"", line, wanted);
}

static void
test_links(void)
{
	check_link("Link: <https://a/x?page=2>; rel=\"next\"\r\n", "https://a/x?page=2");
	check_link("link:</x>;rel=next", "/x");
	check_link("Link: <a>; rel=\"prev\", <b>; rel=\"next\", <c>; rel=\"last\"\r\n", "b");
	check_link("Link: <a>; title=\"x, <y>; rel=\\\"next\\\"\"; rel=last, <b>; REL = \"last Next\"", "b");
	check_link("Link: <a,b;c>; rel=next", "a,b;c");
	check_link("Link: <a>; rel=next; anchor=\"#other\"", "");
	check_link("Link: <a>; rel=nextpage", "");
	check_link("Link: <a>; rel=\"x\"; type=next", "");
	check_link("Link: <a>; rel=next2, <b>; rel", "");
	check_link("Link: <a>", "");
	check_link("Link: <a; rel=next", "");
	check_link("Link: <>; rel=next", "");
	check_link("Links: <a>; rel=next", "");
	check_link("Link: <a>; rel=\"next", "a");
	check_link("Link: <0123456789012345678901234567890123456789>; rel=next", "0123456789012345678901234567890");
}

static void
check_query(const char *url, const char *query, const char *wanted)
{
	char		made[64];
	bool		fits = page_link_set_query(url, query, made, sizeof(made));

	check(fits == (wanted != NULL) && (!fits || strcmp(made, wanted) == 0), "%s with %s", url, query);
}

static void
check_expanded(const char *template, int index, int first, int limit, const char *wanted)
{
	char		made[64];
	bool		fits = page_link_expand(template, index, first, limit, made, sizeof(made));

	check(fits == (wanted != NULL) && (!fits || strcmp(made, wanted) == 0), "%s of page %d", template, index);
}

static void
test_queries(void)
{
	char		pair[24];

	check_query("http://a/x", "p=1", "http://a/x?p=1");
	check_query("http://a/x?q=1&p=0", "p=1", "http://a/x?q=1&p=1");
	check_query("http://a/x?p=0&q=1&p=3#end", "p=1&r=2", "http://a/x?q=1&p=1&r=2");
	check_query("http://a/x?pp=0&p", "p=1", "http://a/x?pp=0&p=1");
	check_query("http://a/x?", "p=1", "http://a/x?p=1");
	check_query("http://a/0123456789012345678901234567890123456789", "p=01234567890123456789", NULL);

	check_expanded("offset={offset}&limit={limit}", 3, 0, 100, "offset=300&limit=100");
	check_expanded("page={page}&x={y}", 0, 1, 100, "page=1&x={y}");
	check_expanded("q={page}{page}", 2, 0, 1, "q=22");

	check(page_link_first("http://a/x?page=1&q=2", "page={page}") == 1, "a page's number in the URL is the first");
	check(page_link_first("http://a/x?q=2&p=7", "n={limit}&p={page}") == 7, "a second pair");
	check(page_link_first("http://a/x", "page={page}") == 0, "no query");
	check(page_link_first("http://a/x?q=1", "page={page}") == 0, "another query");
	check(page_link_first("http://a/x?page=1", "offset={offset}") == 0, "no number in the template");

	check(page_link_pair("k", "a b/\xc3\xbc", pair, sizeof(pair)) && strcmp(pair, "k=a%20b%2F%C3%BC") == 0,
		  "a token is encoded");
	check(!page_link_pair("k", "aaaaaaaaaaaaaaaaaaaaaaaa", pair, sizeof(pair)), "a token that is too long");
}

int
main(void)
{
	test_links();
	test_queries();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

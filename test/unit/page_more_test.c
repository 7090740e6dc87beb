/*-------------------------------------------------------------------------
 *
 * page_more_test.c
 *		Tests whether a page seems to name another one (page_more.c) on the host; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "source/http/page_more.h"

#include "tap.h"

static void
check_page(const char *page, const char *wanted)
{
	char		pointer[PAGE_MORE_POINTER] = "";
	size_t		length = strlen(page);
	bool		found = page_more_find(page, length, page, length, pointer);

	check(found == (wanted != NULL) && (!found || strcmp(pointer, wanted) == 0), "%s: %s", page, pointer);
}

int
main(void)
{
	check_page("{\"@odata.nextLink\": \"http://a.example/v?skip=2\", \"value\": [{\"id\": 1}]}", "/@odata.nextLink");
	check_page("{\"value\": [{\"id\": 1}], \"next\": \"/v?page=2\"}", "/next");
	check_page("{\"data\": [1], \"links\": {\"self\": \"/v\", \"next\": \"/v?page=2\"}}", "/links/next");
	check_page("{\"n\": 2, \"paging\": {\"next\": \"https:\\/\\/a.example\\/v\"}, \"data\": []}", "/paging/next");
	check_page("{\"value\": [1], \"next\": null}", NULL);
	check_page("{\"value\": [1], \"next\": \"\"}", NULL);
	check_page("{\"value\": [1], \"next\": \"abc\"}", NULL);
	check_page("{\"value\": [{\"next\": \"/a/b\"}]}", NULL);
	check_page("{\"id\": 1, \"next\": \"/a/b\"}", NULL);
	check_page("[{\"next\": \"/a/b\", \"x\": []}]", NULL);
	check_page("{\"a\\", NULL);
	check_page("{\"next", NULL);
	check_page("", NULL);
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

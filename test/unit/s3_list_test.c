/*-------------------------------------------------------------------------
 *
 * s3_list_test.c
 *		Answers of ListObjectsV2.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "source/store/s3_list.h"
#include "tap.h"

#define OBJECT(key, size, time, etag) \
	"<Contents><Key>" key "</Key><LastModified>" time "</LastModified><ETag>" etag "</ETag><Size>" size "</Size>" \
	"<StorageClass>STANDARD</StorageClass><Owner><ID>x</ID></Owner></Contents>"
#define GOOD(key) OBJECT(key, "5", "2024-01-02T03:04:05.678Z", "&quot;e1&quot;")
#define LIST(rest) "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" rest "</ListBucketResult>"

/* how many objects a text has, -1: it is no answer; entry: the last */
static int
count(const char *text, S3Entry *entry, char *continuation)
{
	S3List	   *list = s3_list_create(text, strlen(text));
	S3ListStatus status;
	int			n = 0;

	while ((status = s3_list_next(list, entry)) == S3_LIST_ENTRY)
		n++;
	continuation[0] = '\0';
	if (status == S3_LIST_END && s3_list_continuation(list) != NULL)
		strcpy(continuation, s3_list_continuation(list));
	s3_list_free(list);
	return status == S3_LIST_FAILED ? -1 : n;
}

static void
check_refused(const char *name, const char *text)
{
	S3Entry		entry;
	char		continuation[4096];

	check(count(text, &entry, continuation) == -1, "refused: %s", name);
}

int
main(void)
{
	S3Entry		entry;
	char		continuation[4096];

	check(count(LIST("<IsTruncated>false</IsTruncated>" GOOD("a") GOOD("b+c%2Bd%C3%A9%25")), &entry, continuation) == 2, "every object");
	check(strcmp(entry.key, "b c+d\303\251%") == 0, "a key without its escapes");
	check(strcmp(entry.etag, "\"e1\"") == 0, "an ETag with its quotes");
	check(entry.size == 5, "a size");
	check(entry.modified == INT64_C(757479845678000), "a time");
	check(continuation[0] == '\0', "nothing is left");
	check(count(LIST("<Name>b</Name><CommonPrefixes><Prefix>x</Prefix></CommonPrefixes>"), &entry, continuation) == 0, "no object");
	check(count(LIST(GOOD("a") "<NextContinuationToken>a/+b=&amp;</NextContinuationToken><IsTruncated>true</IsTruncated>"),
				&entry, continuation) == 1 && strcmp(continuation, "a/+b=&") == 0, "a rest to be asked for");

	check_refused("a rest that cannot be asked for", LIST("<IsTruncated>true</IsTruncated>"));
	check_refused("nothing", "");
	check_refused("a page", "<html><body>Login</body></html>");
	check_refused("an error", "<Error><Code>AccessDenied</Code></Error>");
	check_refused("a list that is cut", "<ListBucketResult>" GOOD("a"));
	check_refused("an object without its version", LIST("<Contents><Key>a</Key></Contents>"));
	check_refused("an empty key", LIST(GOOD("")));
	check_refused("half an escape", LIST(GOOD("a%2")));
	check_refused("a zero byte", LIST(GOOD("a%00b")));
	check_refused("a negative size", LIST(OBJECT("a", "-1", "2024-01-02T03:04:05.678Z", "x")));
	check_refused("a size that no number holds", LIST(OBJECT("a", "99999999999999999999", "2024-01-02T03:04:05.678Z", "x")));
	check_refused("a time that is none", LIST(OBJECT("a", "1", "yesterday", "x")));
	check_refused("a document type", "<!DOCTYPE a [<!ENTITY b \"c\">]>" LIST("&b;"));
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

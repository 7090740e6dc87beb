/*-------------------------------------------------------------------------
 *
 * url_test.c
 *		Tests the URL policy (src/source/url.c) on the host; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "source/http/url.h"

static int	n_tests;
static int	n_failed;

static void
check(bool fine, const char *what, const char *detail)
{
	n_tests++;
	if (!fine)
		n_failed++;
	printf("%sok %d - %s: %s\n", fine ? "" : "not ", n_tests, what, detail);
}

/* ---- reading ---- */

typedef struct Reading
{
	const char *text;
	int			port;
	const char *normal;			/* NULL: refused */
	const char *shown;			/* or why it is refused */
} Reading;

static const Reading readings[] = {
	{"http://127.0.0.1:8080/v1/products", 0, "http://127.0.0.1:8080/v1/products", "http://127.0.0.1:8080/v1/products"},
	{"https://example.com", 0, "https://example.com/", "https://example.com/"},
	{"http://example.com/x", 81, "http://example.com:81/x", "http://example.com:81/x"},
	{"http://example.com:82/x", 81, "http://example.com:81/x", "http://example.com:81/x"},
	{"http://example.com/x?token=abc", 0, "http://example.com/x?token=abc", "http://example.com/x?..."},
	{"http://example.com/x#part", 0, "http://example.com/x", "http://example.com/x"},
	{"http://example.com/a b", 0, "http://example.com/a%20b", "http://example.com/a%20b"},
	{"http://0x7f.1/", 0, "http://127.0.0.1/", "http://127.0.0.1/"},
	{"http://[::1]:80/", 0, "http://[::1]:80/", "http://[::1]:80/"},
	{"http://b\xc3\xbc" "cher.example/", 0, "http://b\xc3\xbc" "cher.example/", "http://b??cher.example/"},
	{"ftp://example.com/", 0, NULL, "only http and https are supported"},
	{"file:///etc/passwd", 0, NULL, "only http and https are supported"},
	{"gopher://example.com/", 0, NULL, "only http and https are supported"},
	{"http://user@example.com/", 0, NULL, "a URL must not hold a user name or password"},
	{"http://user:secret@example.com/", 0, NULL, "a URL must not hold a user name or password"},
	{"http://example.com:99999/", 0, NULL, "invalid port number"},
	{"http://example.com/", 99999, NULL, "invalid port number"},
	{"http://example.com:0/", 0, NULL, "invalid port number"},
	{"http://exam\nple.com/", 0, NULL, "malformed URL"},
	{"http://example.com/\r\nX: y", 0, NULL, "malformed URL"},
	{"http://a%7f.example/", 0, NULL, "malformed URL"},
	{"http://a%0d.example/", 0, NULL, "malformed URL"},
	{"products", 0, NULL, "malformed URL"},
	{"", 0, NULL, "malformed URL"}
};

static void
test_reading(void)
{
	Url			url;

	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
	{
		const Reading *r = &readings[i];
		const char *refusal = url_parse(r->text, r->port, &url);

		if (r->normal == NULL)
			check(refusal != NULL && strcmp(refusal, r->shown) == 0, "refused", r->shown);
		else
			check(refusal == NULL && strcmp(url.text, r->normal) == 0 &&
				  strcmp(url.shown, r->shown) == 0, "read", r->normal);
	}
}

/* a newer libcurl undoes the escapes before it looks for an address, and then reads that */
static void
test_escaped_address(void)
{
	Url			url;
	const char *refusal = url_parse("http://0%35/", 0, &url);

	check(refusal != NULL || strcmp(url.text, "http://0.0.0.5/") == 0, "refused or read",
		  "an address in escapes");
}

static void
test_long(void)
{
	static char text[URL_MAX_LENGTH + 100];
	Url			url;

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "http://h/", 9);
	check(url_parse(text, 0, &url) != NULL, "refused", "a URL over the limit");
	text[URL_MAX_LENGTH] = '\0';
	check(url_parse(text, 0, &url) == NULL, "read", "a URL at the limit");
	check(strlen(url.shown) == URL_SHOWN_LENGTH - 1 &&
		  strcmp(url.shown + strlen(url.shown) - 3, "...") == 0, "cut", "a long URL in messages");
	memset(text + 9, ' ', URL_MAX_LENGTH - 9);
	check(url_parse(text, 0, &url) != NULL, "refused", "a URL that encoding makes too long");
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "http://", 7);
	strcpy(text + 300, "/");
	check(url_parse(text, 0, &url) != NULL, "refused", "a host name over the limit");
}

/* ---- origins and redirects ---- */

typedef struct Redirect
{
	const char *from;
	const char *location;
	const char *to;				/* NULL: refused */
	bool		same_origin;
} Redirect;

static const Redirect redirects[] = {
	{"http://a.com/x/y", "/z", "http://a.com/z", true},
	{"http://a.com/x/y", "z?q=1", "http://a.com/x/z?q=1", true},
	{"http://a.com/x", "http://A.COM/z", "http://A.COM/z", true},
	{"http://a.com/x", "http://a.com:80/z", "http://a.com:80/z", true},
	{"http://a.com/x", "//b.com/z", "http://b.com/z", false},
	{"http://a.com/x", "http://a.com:81/z", "http://a.com:81/z", false},
	{"http://a.com/x", "https://a.com/z", "https://a.com/z", false},
	{"http://a.com/x", "http://a.com.b.com/", "http://a.com.b.com/", false},
	{"http://a.com:443/x", "https://a.com/", "https://a.com/", false},
	{"https://a.com/x", "http://a.com/x", NULL, false},
	{"https://a.com/x", "http://a.com:443/x", NULL, false},
	{"https://a.com/x", "//b.com/", "https://b.com/", false},
	{"http://a.com/x", "ftp://a.com/x", NULL, false},
	{"http://a.com/x", "file:///etc/passwd", NULL, false},
	{"http://a.com/x", "http://u:p@a.com/x", NULL, false},
	{"http://a.com/x", "//u:p@a.com/x", NULL, false}
};

static void
test_redirects(void)
{
	Url			from;
	Url			to;

	for (size_t i = 0; i < sizeof(redirects) / sizeof(redirects[0]); i++)
	{
		const		Redirect *r = &redirects[i];
		const char *refusal;

		if (url_parse(r->from, 0, &from) != NULL)
		{
			check(false, "read", r->from);
			continue;
		}
		refusal = url_redirect(&from, r->location, &to);
		if (r->to == NULL)
			check(refusal != NULL, "redirect refused", r->location);
		else
		{
			check(refusal == NULL && strcmp(to.text, r->to) == 0, "redirect", r->to);
			check(url_same_origin(&from, &to) == r->same_origin,
				  r->same_origin ? "same origin" : "another origin", r->to);
		}
	}
}

/* ---- addresses ---- */

typedef struct Address
{
	const char *text;
	UrlAddress	kind;
} Address;

static const Address addresses[] = {
	{"8.8.8.8", URL_ADDRESS_PUBLIC}, {"1.0.0.0", URL_ADDRESS_PUBLIC},
	{"0.0.0.0", URL_ADDRESS_UNSPECIFIED}, {"0.1.2.3", URL_ADDRESS_PRIVATE},
	{"127.0.0.1", URL_ADDRESS_LOOPBACK}, {"127.255.255.255", URL_ADDRESS_LOOPBACK},
	{"126.255.255.255", URL_ADDRESS_PUBLIC}, {"128.0.0.0", URL_ADDRESS_PUBLIC},
	{"169.254.169.254", URL_ADDRESS_LINK_LOCAL}, {"169.253.255.255", URL_ADDRESS_PUBLIC},
	{"169.255.0.0", URL_ADDRESS_PUBLIC},
	{"10.0.0.1", URL_ADDRESS_PRIVATE}, {"11.0.0.0", URL_ADDRESS_PUBLIC},
	{"172.15.255.255", URL_ADDRESS_PUBLIC}, {"172.16.0.0", URL_ADDRESS_PRIVATE},
	{"172.31.255.255", URL_ADDRESS_PRIVATE}, {"172.32.0.0", URL_ADDRESS_PUBLIC},
	{"192.168.0.1", URL_ADDRESS_PRIVATE}, {"192.169.0.0", URL_ADDRESS_PUBLIC},
	{"100.64.0.1", URL_ADDRESS_PRIVATE}, {"100.128.0.0", URL_ADDRESS_PUBLIC},
	{"192.0.0.8", URL_ADDRESS_PRIVATE}, {"198.19.0.1", URL_ADDRESS_PRIVATE},
	{"223.255.255.255", URL_ADDRESS_PUBLIC}, {"224.0.0.1", URL_ADDRESS_PRIVATE},
	{"255.255.255.255", URL_ADDRESS_PRIVATE},
	{"2606:4700::1111", URL_ADDRESS_PUBLIC}, {"::", URL_ADDRESS_UNSPECIFIED},
	{"::1", URL_ADDRESS_LOOPBACK},
	{"fe80::1", URL_ADDRESS_LINK_LOCAL}, {"febf::1", URL_ADDRESS_LINK_LOCAL},
	{"fec0::1", URL_ADDRESS_PRIVATE}, {"fc00::1", URL_ADDRESS_PRIVATE},
	{"fd00:ec2::254", URL_ADDRESS_PRIVATE}, {"fe00::1", URL_ADDRESS_PUBLIC},
	{"ff02::1", URL_ADDRESS_PRIVATE},
	{"::ffff:169.254.169.254", URL_ADDRESS_LINK_LOCAL}, {"::ffff:127.0.0.1", URL_ADDRESS_LOOPBACK},
	{"::ffff:8.8.8.8", URL_ADDRESS_PUBLIC}, {"::ffff:0:10.0.0.1", URL_ADDRESS_PRIVATE},
	{"::127.0.0.1", URL_ADDRESS_LOOPBACK}, {"64:ff9b::a9fe:a9fe", URL_ADDRESS_LINK_LOCAL},
	{"64:ff9b::808:808", URL_ADDRESS_PUBLIC}, {"64:ff9b:1::1", URL_ADDRESS_PRIVATE},
	{"2002:7f00:1::", URL_ADDRESS_LOOPBACK}, {"2002:808:808::", URL_ADDRESS_PUBLIC},
	{"2001::1", URL_ADDRESS_PRIVATE}
};

static void
test_addresses(void)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
	{
		struct sockaddr_in in = {.sin_family = AF_INET};
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
		UrlAddress	kind = URL_ADDRESS_UNKNOWN;

		if (inet_pton(AF_INET, addresses[i].text, &in.sin_addr) == 1)
			kind = url_address_class((struct sockaddr *) &in, sizeof(in));
		else if (inet_pton(AF_INET6, addresses[i].text, &in6.sin6_addr) == 1)
			kind = url_address_class((struct sockaddr *) &in6, sizeof(in6));
		check(kind == addresses[i].kind, url_address_name(addresses[i].kind), addresses[i].text);
	}
	check(url_address_class((struct sockaddr *) &local, sizeof(local)) == URL_ADDRESS_UNKNOWN,
		  "unknown", "a local socket");
}

static void
test_policy(void)
{
	Url			name;
	Url			literal;

	check(url_parse("http://metadata/", 0, &name) == NULL && !name.literal, "read", "a name");
	check(url_parse("http://169.254.1.1/", 0, &literal) == NULL && literal.literal, "read", "an address");

	check(url_address_allowed(&name, true, URL_ADDRESS_PUBLIC), "own, allowed", "public");
	check(url_address_allowed(&name, true, URL_ADDRESS_PRIVATE), "own, allowed", "private");
	check(url_address_allowed(&name, true, URL_ADDRESS_LOOPBACK), "own, allowed", "loopback");
	check(!url_address_allowed(&name, true, URL_ADDRESS_LINK_LOCAL), "own, refused", "link-local name");
	check(url_address_allowed(&literal, true, URL_ADDRESS_LINK_LOCAL), "own, allowed", "link-local address");
	check(!url_address_allowed(&name, true, URL_ADDRESS_UNKNOWN), "own, refused", "unknown");

	check(url_address_allowed(&name, false, URL_ADDRESS_PUBLIC), "foreign, allowed", "public");
	check(!url_address_allowed(&name, false, URL_ADDRESS_PRIVATE), "foreign, refused", "private");
	check(!url_address_allowed(&name, false, URL_ADDRESS_LOOPBACK), "foreign, refused", "loopback");
	check(!url_address_allowed(&name, false, URL_ADDRESS_UNSPECIFIED), "foreign, refused", "unspecified");
	check(!url_address_allowed(&literal, false, URL_ADDRESS_LINK_LOCAL), "foreign, refused", "link-local");
}

int
main(void)
{
	test_reading();
	test_escaped_address();
	test_long();
	test_redirects();
	test_addresses();
	test_policy();
	printf("1..%d\n", n_tests);
	return n_failed == 0 ? 0 : 1;
}

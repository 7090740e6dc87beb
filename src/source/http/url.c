/*-------------------------------------------------------------------------
 *
 * url.c
 *		What a fetch may connect to: origins, redirects, addresses.
 *
 * A database server sits inside the network that others want to reach, and
 * clouds hand out an instance's credentials over plain HTTP on a link-local
 * address.  So a URL alone decides nothing: names are checked by the address
 * they resolved to, at the moment of connecting, and each redirect is judged
 * like a new URL of lesser trust.
 *
 * The rules:
 *	 - the manifest's own origin may be anywhere (a sidecar often reads from
 *	   localhost), but a *name* in it must not resolve to a link-local
 *	   address; who wants that writes the address;
 *	 - any other origin, reached by a redirect, must be public;
 *	 - https never continues as http.
 *
 * libcurl takes URLs apart, because it is libcurl that will connect: two
 * parsers that disagree about where the host ends are a hole.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

/* a range of IPv4 addresses and what it is for */
typedef struct Range4
{
	uint32_t	base;
	int			bits;
	UrlAddress	kind;
} Range4;

static const Range4 ranges4[] = {
	{0x00000000, 32, URL_ADDRESS_UNSPECIFIED},
	{0x7f000000, 8, URL_ADDRESS_LOOPBACK},
	{0xa9fe0000, 16, URL_ADDRESS_LINK_LOCAL},	/* 169.254 */
	{0x00000000, 8, URL_ADDRESS_PRIVATE},
	{0x0a000000, 8, URL_ADDRESS_PRIVATE},
	{0x64400000, 10, URL_ADDRESS_PRIVATE},	/* 100.64, carriers */
	{0xac100000, 12, URL_ADDRESS_PRIVATE},	/* 172.16 */
	{0xc0000000, 24, URL_ADDRESS_PRIVATE},	/* 192.0.0, protocols */
	{0xc0a80000, 16, URL_ADDRESS_PRIVATE},	/* 192.168 */
	{0xc6120000, 15, URL_ADDRESS_PRIVATE},	/* 198.18, benchmarks */
	{0xe0000000, 3, URL_ADDRESS_PRIVATE}	/* multicast, reserved, broadcast */
};

/* a range of IPv6 addresses; embedded >= 0: an IPv4 address begins there */
typedef struct Range6
{
	unsigned char prefix[12];
	int			bits;
	UrlAddress	kind;
	int			embedded;
} Range6;

static const Range6 ranges6[] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, URL_ADDRESS_PUBLIC, 12},
	{{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96, URL_ADDRESS_PUBLIC, 12},
	{{0}, 96, URL_ADDRESS_PUBLIC, 12},
	{{0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}, 96, URL_ADDRESS_PUBLIC, 12},
	{{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, URL_ADDRESS_PRIVATE, -1},
	{{0x20, 0x02}, 16, URL_ADDRESS_PUBLIC, 2},	/* 6to4 */
	{{0x20, 0x01, 0, 0}, 32, URL_ADDRESS_PRIVATE, -1},	/* Teredo */
	{{0xfe, 0x80}, 10, URL_ADDRESS_LINK_LOCAL, -1},
	{{0xfe, 0xc0}, 10, URL_ADDRESS_PRIVATE, -1},	/* site-local */
	{{0xfc, 0x00}, 7, URL_ADDRESS_PRIVATE, -1}, /* unique-local */
	{{0xff, 0x00}, 8, URL_ADDRESS_PRIVATE, -1}	/* multicast */
};

#define N_RANGES4	((int) (sizeof(ranges4) / sizeof(ranges4[0])))
#define N_RANGES6	((int) (sizeof(ranges6) / sizeof(ranges6[0])))

static UrlAddress
class4(uint32_t address)
{
	for (int i = 0; i < N_RANGES4; i++)
	{
		uint32_t	mask = 0xffffffffU << (32 - ranges4[i].bits);

		if ((address & mask) == ranges4[i].base)
			return ranges4[i].kind;
	}
	return URL_ADDRESS_PUBLIC;
}

static bool
prefix_matches(const unsigned char *bytes, const Range6 *range)
{
	int			whole = range->bits / 8;
	int			rest = range->bits % 8;

	if (memcmp(bytes, range->prefix, (size_t) whole) != 0)
		return false;
	return rest == 0 ||
		(bytes[whole] >> (8 - rest)) == (range->prefix[whole] >> (8 - rest));
}

static UrlAddress
class6(const unsigned char *bytes)
{
	static const unsigned char loopback[16] = {[15] = 1};

	if (memcmp(bytes, loopback, sizeof(loopback)) == 0)
		return URL_ADDRESS_LOOPBACK;
	for (int i = 0; i < N_RANGES6; i++)
	{
		const unsigned char *inner;

		if (!prefix_matches(bytes, &ranges6[i]))
			continue;
		if (ranges6[i].embedded < 0)
			return ranges6[i].kind;
		/* a tunnel to an IPv4 address is as trustworthy as that address */
		inner = bytes + ranges6[i].embedded;
		return class4((uint32_t) inner[0] << 24 | (uint32_t) inner[1] << 16 |
					  (uint32_t) inner[2] << 8 | (uint32_t) inner[3]);
	}
	return URL_ADDRESS_PUBLIC;
}

UrlAddress
url_address_class(const struct sockaddr *address, size_t length)
{
	if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET)
	{
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		return class4(ntohl(in.sin_addr.s_addr));
	}
	if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6)
	{
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		return class6(in6.sin6_addr.s6_addr);
	}
	return URL_ADDRESS_UNKNOWN;
}

const char *
url_address_name(UrlAddress kind)
{
	switch (kind)
	{
		case URL_ADDRESS_PUBLIC:
			return "public";
		case URL_ADDRESS_PRIVATE:
			return "private";
		case URL_ADDRESS_LOOPBACK:
			return "loopback";
		case URL_ADDRESS_UNSPECIFIED:
			return "unspecified";
		case URL_ADDRESS_LINK_LOCAL:
			return "link-local";
		case URL_ADDRESS_UNKNOWN:
			break;
	}
	return "unknown";
}

bool
url_address_allowed(const Url *url, bool own, UrlAddress kind)
{
	switch (kind)
	{
		case URL_ADDRESS_PUBLIC:
			return true;
		case URL_ADDRESS_PRIVATE:
		case URL_ADDRESS_LOOPBACK:
		case URL_ADDRESS_UNSPECIFIED:
			return own;
		case URL_ADDRESS_LINK_LOCAL:
			return own && url->literal;
		case URL_ADDRESS_UNKNOWN:
			break;
	}
	return false;
}

static bool
is_literal(const char *host)
{
	unsigned char bytes[16];

	return host[0] == '[' || inet_pton(AF_INET, host, bytes) == 1;
}

/* copies one part of the URL; returns why it cannot */
static const char *
get_part(CURLU *handle, CURLUPart part, unsigned int flags, char *out, size_t size)
{
	char	   *text = NULL;
	const char *refusal = NULL;

	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
		return "malformed URL";
	if (strlen(text) >= size)
		refusal = part == CURLUPART_HOST ? "host name too long" : "URL too long";
	else
		strcpy(out, text);
	curl_free(text);
	return refusal;
}

/*
 * What messages say instead of the URL.  A query is where tokens are, so it is
 * left out; everything that is not printable ASCII becomes a question mark.
 */
static void
describe(Url *url)
{
	size_t		n = strcspn(url->text, "?#");
	bool		cut = n > URL_SHOWN_LENGTH - 4;

	if (cut)
		n = URL_SHOWN_LENGTH - 4;
	for (size_t i = 0; i < n; i++)
	{
		unsigned char c = (unsigned char) url->text[i];

		url->shown[i] = c > 0x20 && c < 0x7f ? (char) c : '?';
	}
	if (cut)
		strcpy(url->shown + n, "...");
	else
		strcpy(url->shown + n, url->text[n] == '?' ? "?..." : "");
}

static const char *
refusal_of(CURLUcode code)
{
	switch (code)
	{
		case CURLUE_UNSUPPORTED_SCHEME:
			return "only http and https are supported";
		case CURLUE_USER_NOT_ALLOWED:
			return "a URL must not hold a user name or password";
		case CURLUE_BAD_PORT_NUMBER:
			return "invalid port number";
		case CURLUE_OUT_OF_MEMORY:
			return "out of memory";
		default:
			return "malformed URL";
	}
}

static bool
has_control(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return true;
	}
	return false;
}

/*
 * libcurl decodes the escapes of a host after it has looked for an address in
 * it, so that what comes out could be read as another host.
 */
static bool
reads_the_same(const Url *url)
{
	char		host[sizeof(url->host)];
	CURLU	   *handle = curl_url();
	bool		same = handle != NULL && curl_url_set(handle, CURLUPART_URL, url->text, 0) == CURLUE_OK &&
	get_part(handle, CURLUPART_HOST, 0, host, sizeof(host)) == NULL && strcasecmp(host, url->host) == 0;

	curl_url_cleanup(handle);
	return same;
}

static const char *
fill(CURLU *handle, int port, Url *url)
{
	char		number[16];
	char		scheme[16];
	const char *refusal;

	if (port != 0)
	{
		snprintf(number, sizeof(number), "%d", port);
		if (curl_url_set(handle, CURLUPART_PORT, number, 0) != CURLUE_OK)
			return "invalid port number";
	}
	if (curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK)
		return "out of memory";
	if (get_part(handle, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) != NULL)
		return "only http and https are supported";
	url->secure = strcmp(scheme, "https") == 0;
	if (!url->secure && strcmp(scheme, "http") != 0)
		return "only http and https are supported";

	refusal = get_part(handle, CURLUPART_HOST, 0, url->host, sizeof(url->host));
	if (refusal == NULL)
		refusal = get_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, number, sizeof(number));
	if (refusal == NULL)
		refusal = get_part(handle, CURLUPART_URL, 0, url->text, sizeof(url->text));
	if (refusal != NULL)
		return refusal;

	for (char *p = url->host; *p != '\0'; p++)
	{
		if (*p >= 'A' && *p <= 'Z')
			*p = (char) (*p + ('a' - 'A'));
	}
	if (url->host[0] == '\0' || has_control(url->text) || !reads_the_same(url))
		return "malformed URL";
	url->port = atoi(number);
	if (url->port < 1 || url->port > 65535)
		return "invalid port number";
	url->literal = is_literal(url->host);
	describe(url);
	return NULL;
}

/* base NULL: text must be absolute */
static const char *
parse(const char *base, const char *text, int port, Url *url)
{
	CURLU	   *handle;
	CURLUcode	code = CURLUE_OK;
	const char *refusal;

	memset(url, 0, sizeof(*url));
	if (strlen(text) > URL_MAX_LENGTH)
		return "URL too long";
	/* some libcurls encode what would split a request */
	if (has_control(text))
		return "malformed URL";
	handle = curl_url();
	if (handle == NULL)
		return "out of memory";
	if (base != NULL)
		code = curl_url_set(handle, CURLUPART_URL, base, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(handle, CURLUPART_URL, text,
							CURLU_DISALLOW_USER | CURLU_URLENCODE | CURLU_ALLOW_SPACE);
	refusal = code != CURLUE_OK ? refusal_of(code) : fill(handle, port, url);
	curl_url_cleanup(handle);
	return refusal;
}

const char *
url_parse(const char *text, int port, Url *url)
{
	return parse(NULL, text, port, url);
}

bool
url_same_origin(const Url *a, const Url *b)
{
	return a->secure == b->secure && a->port == b->port &&
		strcmp(a->host, b->host) == 0;
}

const char *
url_redirect(const Url *from, const char *location, Url *to)
{
	const char *refusal = parse(from->text, location, 0, to);

	if (refusal == NULL && from->secure && !to->secure)
		refusal = "it leads from https to http";
	return refusal;
}

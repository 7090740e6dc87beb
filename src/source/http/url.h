/*-------------------------------------------------------------------------
 *
 * url.h
 *		What a fetch may connect to: origins, redirects, addresses.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 * A Url has a fixed size and owns nothing, so that no error path can lose it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_URL_H
#define SPICE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define URL_MAX_LENGTH		8192
#define URL_SHOWN_LENGTH	300

typedef struct Url
{
	char		text[URL_MAX_LENGTH + 1];	/* normalised, without fragment */
	char		shown[URL_SHOWN_LENGTH + 1];	/* for messages: ASCII, no query */
	char		host[256];		/* lower case */
	int			port;
	bool		secure;			/* https */
	bool		literal;		/* the host is an address, not a name */
} Url;

typedef enum UrlAddress
{
	URL_ADDRESS_PUBLIC,
	URL_ADDRESS_PRIVATE,		/* also shared, unique-local, reserved, multicast */
	URL_ADDRESS_LOOPBACK,
	URL_ADDRESS_UNSPECIFIED,
	URL_ADDRESS_LINK_LOCAL,		/* where clouds keep instance credentials */
	URL_ADDRESS_UNKNOWN			/* neither IPv4 nor IPv6 */
} UrlAddress;

/*
 * Reads an absolute http or https URL; port other than 0 replaces its own.
 * Returns NULL, or why it is refused (static, lower case, no full stop).
 */
extern const char *url_parse(const char *text, int port, Url *url);

/* scheme, host and port are equal: credentials may be sent */
extern bool url_same_origin(const Url *a, const Url *b);

/* resolves a redirect's Location; returns NULL, or why it is refused */
extern const char *url_redirect(const Url *from, const char *location, Url *to);

extern UrlAddress url_address_class(const struct sockaddr *address, size_t length);
extern const char *url_address_name(UrlAddress kind);

/* may a request for url connect there?  own: url has the manifest's origin */
extern bool url_address_allowed(const Url *url, bool own, UrlAddress kind);

#endif

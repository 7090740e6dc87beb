/*-------------------------------------------------------------------------
 *
 * fuzz_url.c
 *		libFuzzer target for the URL policy (src/source/url.c).
 *
 * The input is a URL, a NUL, and a redirect's Location.  Whatever it is, what
 * is accepted must be http or https, must read the same again, and must say
 * nothing unprintable or of its query in messages.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/http/url.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fine)
{
	if (!fine)
		abort();
}

static void
check_accepted(const Url *url)
{
	static Url	again;

	require(strncmp(url->text, url->secure ? "https://" : "http://", url->secure ? 8 : 7) == 0);
	require(url->port >= 1 && url->port <= 65535);
	require(url->host[0] != '\0');
	require(strchr(url->text, '#') == NULL);
	for (const char *p = url->shown; *p != '\0'; p++)
		require(*p > 0x20 && *p < 0x7f);
	for (const char *p = url->text; *p != '\0'; p++)
		require((unsigned char) *p > 0x20 && *p != 0x7f);
	require(url_parse(url->text, 0, &again) == NULL);
	require(url_same_origin(url, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Url	url;
	static Url	target;
	char	   *text = malloc(size + 2);
	const char *location;

	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	location = text + strlen(text) + 1;
	if (url_parse(text, 0, &url) == NULL)
	{
		check_accepted(&url);
		if ((size_t) (location - text) <= size && url_redirect(&url, location, &target) == NULL)
		{
			check_accepted(&target);
			require(!url.secure || target.secure);
		}
	}
	free(text);
	return 0;
}

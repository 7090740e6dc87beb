/*-------------------------------------------------------------------------
 *
 * http_header.c
 *		Headers of HTTP: the manifest's, and those of an answer.
 *
 * The headers of an answer are untrusted.  libcurl's callback parses them in the
 * middle of a transfer, where the code may neither allocate nor raise an error.
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/http_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "ascii.h"

#define RETRY_AFTER_MAX		(24 * 60 * 60)

/* ---- the manifest's http_headers ---- */

/* what a header's name may consist of (RFC 9110) */
static bool
is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* does a header begin here?  "http://" in a value is not one */
static bool
is_header_start(const char *text)
{
	const char *p = skip_blanks(text);
	const char *name = p;

	while (is_token(*p))
		p++;
	return p > name && *p == ':' && strncmp(p, "://", 3) != 0;
}

static const char *
end_of_header(const char *text, bool lines)
{
	if (lines)
		return text + strcspn(text, "\n");
	while (*text != '\0' &&
		   !((*text == ',' || *text == ';') && is_header_start(text + 1)))
		text++;
	return text;
}

/* headers that would contradict what the transfer itself does */
static bool
is_reserved(const char *name, size_t length)
{
	static const char *const reserved[] = {
		"Connection", "Content-Length", "Expect", "If-Match", "If-Modified-Since",
		"If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive", "Range",
		"TE", "Trailer", "Transfer-Encoding", "Upgrade"
	};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
	{
		if (strlen(reserved[i]) == length && ascii_same(name, reserved[i], length))
			return true;
	}
	return false;
}

static bool
refuse(HttpHeaderScan *scan, const char *problem, const char *hint)
{
	scan->problem = problem;
	scan->hint = hint;
	return false;
}

bool
http_header_scan(HttpHeaderScan *scan)
{
	const char *text = skip_blanks(scan->rest);
	const char *end = end_of_header(text, scan->lines);
	const char *colon = text;

	if (*text == '\0')
		return false;
	scan->rest = *end == '\0' ? end : end + 1;
	scan->number++;
	while (colon < end && is_token(*colon))
		colon++;
	if (colon == text || colon == end || *colon != ':')
		return refuse(scan, "a name and a colon are expected",
					  "Write http_headers as \"Name: value, Other-Name: value\".");
	scan->name = text;
	scan->name_length = (size_t) (colon - text);
	if (is_reserved(scan->name, scan->name_length))
		return refuse(scan, "this header is set by the transfer itself", "Leave it out.");
	text = colon + 1;
	while (text < end && is_blank(*text))
		text++;
	while (end > text && is_blank(end[-1]))
		end--;
	scan->value = text;
	scan->value_length = (size_t) (end - text);
	return true;
}

int
http_header_control(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		if (((unsigned char) *p < 0x20 && *p != '\t') || *p == 0x7f)
			return (int) (p - text) + 1;
	}
	return 0;
}

/* ---- an answer's headers ---- */

static bool
is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

void
http_header_keep(const char *line, size_t length, const char *name, char *out, size_t size)
{
	size_t		n = strlen(name);

	if (length <= n || line[n] != ':' || !ascii_same(line, name, n))
		return;
	line += n + 1;
	length -= n + 1;
	while (length > 0 && is_space(*line))
	{
		line++;
		length--;
	}
	while (length > 0 && is_space(line[length - 1]))
		length--;
	out[0] = '\0';
	if (length >= size)
		return;
	for (size_t i = 0; i < length; i++)
	{
		if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f)
			return;
	}
	memcpy(out, line, length);
	out[length] = '\0';
}

bool
http_header_is_printable(const char *text)
{
	if (text[0] == '\0')
		return false;
	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p < 0x20 || *p > 0x7e)
			return false;
	}
	return true;
}

bool
http_header_is_past(const char *last_modified, const char *date)
{
	time_t		modified = curl_getdate(last_modified, NULL);
	time_t		sent = curl_getdate(date, NULL);

	return modified != (time_t) -1 && sent != (time_t) -1 && modified < sent;
}

static int
at_most_a_day(int64_t seconds)
{
	return seconds < 0 ? 0 : seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int) seconds;
}

/* seconds, or a date */
int
http_header_retry_after(const char *text, time_t now)
{
	time_t		when;

	if (text[0] == '\0')
		return 0;
	if (strspn(text, "0123456789") == strlen(text))
		return strlen(text) > 6 ? RETRY_AFTER_MAX : at_most_a_day(atoi(text));
	when = curl_getdate(text, NULL);
	return when == (time_t) -1 ? 0 : at_most_a_day((int64_t) when - (int64_t) now);
}

/*-------------------------------------------------------------------------
 *
 * redaction.c
 *		Secrets that texts from outside must not repeat.
 *
 * A source that refuses a request often repeats the credentials that it was sent: cut,
 * as a part of a sentence, or escaped for the format of its answer.  So a text is
 * searched as it stands, with its escapes undone, and with every run of base64 letters
 * decoded.  A part of a secret helps to guess the rest: six bytes in a row count as the
 * secret.
 *
 *-------------------------------------------------------------------------
 */
#include "secret/redaction.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "secret/dotenv.h"

#define MIN_LENGTH		4		/* shorter ones are in any text, and protect nothing */
#define PART_LENGTH		6		/* so many bytes of a secret are the secret */
#define MAX_ROUNDS		3		/* escapes within escapes */
#define STRUCK			'*'

struct Redaction
{
	char	  **secrets;
	size_t		count;
	size_t		capacity;
};

Redaction *
redaction_create(void)
{
	return calloc(1, sizeof(Redaction));
}

void
redaction_free(Redaction * redaction)
{
	if (redaction == NULL)
		return;
	for (size_t i = 0; i < redaction->count; i++)
		secret_wipe(redaction->secrets[i]);
	free(redaction->secrets);
	free(redaction);
}

bool
redaction_add(Redaction * redaction, const char *secret)
{
	if (strlen(secret) < MIN_LENGTH)
		return true;
	if (redaction->count == redaction->capacity)
	{
		size_t		wanted = redaction->capacity == 0 ? 8 : redaction->capacity * 2;
		char	  **larger = realloc(redaction->secrets, wanted * sizeof(char *));

		if (larger == NULL)
			return false;
		redaction->secrets = larger;
		redaction->capacity = wanted;
	}
	redaction->secrets[redaction->count] = strdup(secret);
	return redaction->secrets[redaction->count] != NULL && ++redaction->count > 0;
}

/* ---- parts of secrets in bytes ---- */

static const char *
find_bytes(const char *text, size_t length, const char *part, size_t part_length)
{
	const char *end = text + length;

	while ((size_t) (end - text) >= part_length)
	{
		text = memchr(text, part[0], (size_t) (end - text) - part_length + 1);
		if (text == NULL)
			return NULL;
		if (memcmp(text, part, part_length) == 0)
			return text;
		text++;
	}
	return NULL;
}

static size_t
part_length_of(const char *secret)
{
	size_t		length = strlen(secret);

	return length < PART_LENGTH ? length : PART_LENGTH;
}

static bool
finds_part(const Redaction * redaction, const char *text, size_t length)
{
	for (size_t i = 0; i < redaction->count; i++)
	{
		const char *secret = redaction->secrets[i];
		size_t		n = part_length_of(secret);

		for (size_t at = 0; at + n <= strlen(secret); at++)
		{
			if (find_bytes(text, length, secret + at, n) != NULL)
				return true;
		}
	}
	return false;
}

/* ---- escapes ---- */

/* the number of so many hexadecimal digits, or -1 */
static int
read_hex(const char *text, int digits)
{
	int			value = 0;

	for (int i = 0; i < digits; i++)
	{
		int			digit = ascii_hex_digit(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* UTF-8 of a code point of at most 4 hexadecimal digits; never longer than its escape */
static char *
put_character(char *out, long code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else if (code < 0x800)
	{
		*out++ = (char) (0xc0 | code >> 6);
		*out++ = (char) (0x80 | (code & 0x3f));
	}
	else
	{
		*out++ = (char) (0xe0 | code >> 12);
		*out++ = (char) (0x80 | (code >> 6 & 0x3f));
		*out++ = (char) (0x80 | (code & 0x3f));
	}
	return out;
}

/* Reads \x and \uXXXX.  Returns what follows. */
static const char *
undo_backslash(const char *in, char **out)
{
	static const char letters[] = "bfnrt";
	static const char controls[] = "\b\f\n\r\t";
	int			code = in[1] == 'u' ? read_hex(in + 2, 4) : in[1] == 'x' ? read_hex(in + 2, 2) : -1;
	const char *letter;

	if (code > 0)
	{
		*out = put_character(*out, code);
		return in + (in[1] == 'u' ? 6 : 4);
	}
	if (in[1] == '\0')
	{
		*(*out)++ = *in;
		return in + 1;
	}
	letter = strchr(letters, in[1]);
	*(*out)++ = letter != NULL ? controls[letter - letters] : in[1];
	return in + 2;
}

/* Reads &name; and &#number;.  Returns what follows. */
static const char *
undo_entity(const char *in, char **out)
{
	static const struct
	{
		const char *name;
		char		character;
	}			entities[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&sol;", '/'},
		{"&plus;", '+'}, {"&equals;", '='}, {"&colon;", ':'}, {"&num;", '#'}, {"&percnt;", '%'}
	};

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
	{
		size_t		length = strlen(entities[i].name);

		if (strncmp(in, entities[i].name, length) == 0)
		{
			*(*out)++ = entities[i].character;
			return in + length;
		}
	}
	if (in[1] == '#')
	{
		bool		hex = in[2] == 'x' || in[2] == 'X';
		char	   *end;
		long		code = strtol(in + (hex ? 3 : 2), &end, hex ? 16 : 10);

		if (*end == ';' && code > 0 && code <= 0xffff && end > in + (hex ? 3 : 2) && end - in >= 4)
		{
			*out = put_character(*out, code);
			return end + 1;
		}
		if (*end == ';' && code > 0 && code < 0x80)
		{
			*(*out)++ = (char) code;
			return end + 1;
		}
	}
	*(*out)++ = *in;
	return in + 1;
}

/* In place.  Returns whether there were any. */
static bool
undo_escapes(char *text)
{
	const char *in = text;
	char	   *out = text;

	while (*in != '\0')
	{
		int			code;

		if (*in == '\\')
			in = undo_backslash(in, &out);
		else if (*in == '&')
			in = undo_entity(in, &out);
		else if (*in == '%' && (code = read_hex(in + 1, 2)) > 0)
		{
			*out++ = (char) code;
			in += 3;
		}
		else
			*out++ = *in++;
	}
	*out = '\0';
	return out != in;
}

/* ---- base64 ---- */

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

static size_t
base64_length(const char *text)
{
	size_t		length = 0;

	while (text[length] != '\0' && base64_value(text[length]) >= 0)
		length++;
	return length;
}

/* Do these letters of base64 hold a secret, read from one of the first four of them? */
static bool
base64_finds(const Redaction * redaction, const char *letters, size_t count, char *decoded)
{
	for (size_t start = 0; start < 4 && start < count; start++)
	{
		unsigned int bits = 0;
		size_t		length = 0;

		for (size_t i = start; i < count; i++)
		{
			bits = bits << 6 | (unsigned int) base64_value(letters[i]);
			/* 6 bits in, and 8 out at each but the first of four */
			if ((i - start) % 4 != 0)
				decoded[length++] = (char) (bits >> (6 - 2 * ((i - start) % 4)) & 0xff);
		}
		if (finds_part(redaction, decoded, length))
			return true;
	}
	return false;
}

static bool
finds_in_base64(const Redaction * redaction, const char *text, char *decoded)
{
	for (size_t count; *text != '\0'; text += count > 0 ? count : 1)
	{
		count = base64_length(text);
		if (base64_finds(redaction, text, count, decoded))
			return true;
	}
	return false;
}

static void
mark_base64(const Redaction * redaction, const char *text, char *decoded, char *struck)
{
	for (size_t at = 0, count; text[at] != '\0'; at += count > 0 ? count : 1)
	{
		count = base64_length(text + at);
		if (base64_finds(redaction, text + at, count, decoded))
			memset(struck + at, 1, count);
	}
}

/* ---- texts ---- */

bool
redaction_finds(const Redaction * redaction, const char *text)
{
	size_t		size = strlen(text) + 1;
	char	   *copy = malloc(size);
	char	   *decoded = malloc(size);
	bool		found = copy == NULL || decoded == NULL;

	if (!found)
	{
		memcpy(copy, text, size);
		for (int round = 0; round <= MAX_ROUNDS && !found; round++)
		{
			found = finds_part(redaction, copy, strlen(copy)) || finds_in_base64(redaction, copy, decoded);
			if (!undo_escapes(copy))
				break;
		}
		explicit_bzero(copy, size);
		explicit_bzero(decoded, size);
	}
	free(copy);
	free(decoded);
	return found;
}

/*
 * All parts are found before any is struck, because parts overlap.
 */
void
redaction_strike(const Redaction * redaction, char *text)
{
	size_t		length = strlen(text);
	char	   *struck = calloc(1, length + 1);
	char	   *decoded = malloc(length + 1);

	if (struck == NULL || decoded == NULL)
	{
		free(struck);
		free(decoded);
		text[0] = '\0';
		return;
	}
	mark_base64(redaction, text, decoded, struck);
	for (size_t i = 0; i < redaction->count; i++)
	{
		const char *secret = redaction->secrets[i];
		size_t		n = part_length_of(secret);

		for (size_t at = 0; at + n <= strlen(secret); at++)
		{
			for (const char *p = text; (p = find_bytes(p, length - (size_t) (p - text), secret + at, n)) != NULL; p++)
				memset(struck + (p - text), 1, n);
		}
	}
	for (size_t i = 0; i < length; i++)
	{
		if (struck[i])
			text[i] = STRUCK;
	}
	explicit_bzero(decoded, length + 1);
	free(decoded);
	free(struck);
}

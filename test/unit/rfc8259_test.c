/*-------------------------------------------------------------------------
 *
 * rfc8259_test.c
 *		Host test of the JSON reader: what RFC 8259 accepts and what it refuses;
 *		prints TAP.
 *
 * First examples of each class, chosen by hand.  Then whole ranges: every byte
 * in every role, every text of a few characters over the alphabets of numbers
 * and of structure.  What these must give is decided by the RFC's grammar,
 * written a second time and in another way than the reader's.
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <regex.h>

#include "outcome.h"

/*
 * One value as a field, nested in a field, and in a sibling that is skipped
 * on the way: the three places have different callers.
 */
static bool
value_gives(const char *value, size_t length, JsonErrorCode code)
{
	static const char *const before[] = {"[{\"v\":", "[{\"v\":[[", "{\"v\":", "{\"v\":{\"w\":"};
	static const char *const after[] = {"}]", "]]}]", ",\"r\":[]}", "},\"r\":[]}"};
	static Outcome outcome;
	char		document[512];
	bool		good = true;

	for (int place = 0; place < 4; place++)
	{
		size_t		used = strlen(before[place]);
		size_t		rest = strlen(after[place]);

		memcpy(document, before[place], used);
		memcpy(document + used, value, length);
		memcpy(document + used + length, after[place], rest);
		for (size_t i = 0; i < N_CHUNKS; i++)
		{
			run(&outcome, document, used + length + rest, chunks[i], JSON_FORMAT_AUTO,
				place < 2 ? NULL : "/r");
			if (outcome.code == code)
				continue;
			good = false;
			printf("# %.*s in place %d, chunks of %zu: %s (%s)\n", (int) strcspn(value, "\r\n"), value,
				   place, chunks[i], outcome.text, outcome.message);
		}
	}
	return good;
}

static void
expect_value(const char *value, size_t length, JsonErrorCode code)
{
	check(value_gives(value, length, code), "value %s is %s", value,
		  code == JSON_ERROR_NONE ? "accepted" : "refused");
}

#define GOOD(value)		expect_value(value, sizeof(value) - 1, JSON_ERROR_NONE)
#define BAD(value)		expect_value(value, sizeof(value) - 1, JSON_ERROR_SYNTAX)
#define NOT_UTF8(value) expect_value(value, sizeof(value) - 1, JSON_ERROR_ENCODING)

static void
test_numbers(void)
{
	GOOD("0");
	GOOD("-0");
	GOOD("1");
	GOOD("10");
	GOOD("1234567890123456789012345678901234567890");
	GOOD("-12.5");
	GOOD("0.0");
	GOOD("0.10e1");
	GOOD("1e5");
	GOOD("1E+5");
	GOOD("1.25e-400");
	GOOD("-0.0e-0");
	GOOD("1e00005");
	BAD("-");
	BAD("+1");
	BAD("01");
	BAD("-01");
	BAD("00");
	BAD("1.");
	BAD(".5");
	BAD("-.5");
	BAD("1.e5");
	BAD("1e");
	BAD("1e+");
	BAD("1e5.5");
	BAD("1.5.5");
	BAD("0x10");
	BAD("1_000");
	BAD("NaN");
	BAD("Infinity");
	BAD("-Infinity");
	BAD("1 2");
	BAD("--1");
	BAD("1f");
	BAD("\xEF\xBC\x91");
}

static void
test_literals(void)
{
	GOOD("true");
	GOOD("false");
	GOOD("null");
	BAD("True");
	BAD("tru");
	BAD("truee");
	BAD("nul");
	BAD("NULL");
	BAD("undefined");
	BAD("'a'");
	BAD("a");
	BAD("\0");
	BAD("/* */1");
	BAD("\xEF\xBB\xBF" "1");
	BAD("\f1");
	BAD("\xC2\xA0" "1");
	GOOD(" \t\r\n1\n\r\t ");
}

static void
test_strings(void)
{
	GOOD("\"\"");
	GOOD("\"plain text that is longer than sixteen bytes, then longer than 32\"");
	GOOD("\"\x7F\"");
	GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"");
	GOOD("\"\\u0041\\uABCD\\uabcd\\u0000\"");
	GOOD("\"\\uD83D\\uDE00 \\uD800 \\uDC00\"");
	GOOD("\"fifteen bytes..\\n\"");
	GOOD("\"sixteen bytes...\\n\"");
	BAD("\"");
	BAD("\"abc");
	BAD("\"\n\"");
	BAD("\"\t\"");
	BAD("\"\x1F\"");
	BAD("\"a\0b\"");
	BAD("\"fifteen bytes..\x01\"");
	BAD("\"sixteen bytes...\x01\"");
	BAD("\"\\\"");
	BAD("\"\\a\"");
	BAD("\"\\'\"");
	BAD("\"\\0\"");
	BAD("\"\\x41\"");
	BAD("\"\\U0041\"");
	BAD("\"\\u\"");
	BAD("\"\\u004\"");
	BAD("\"\\u00g0\"");
	BAD("\"\\u 041\"");
	BAD("\"\\\n\"");
	BAD("\"\\\0\"");
}

static void
test_utf8(void)
{
	GOOD("\"\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF\"");
	GOOD("\"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF\"");
	GOOD("\"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\"");
	NOT_UTF8("\"\x80\"");
	NOT_UTF8("\"\xBF\"");
	NOT_UTF8("\"\xC0\x80\"");
	NOT_UTF8("\"\xC1\xBF\"");
	NOT_UTF8("\"\xC3\"");
	NOT_UTF8("\"\xC3(\"");
	NOT_UTF8("\"\xE0\x80\x80\"");
	NOT_UTF8("\"\xE0\x9F\xBF\"");
	NOT_UTF8("\"\xE2\x82\"");
	NOT_UTF8("\"\xE2(\xAC\"");
	NOT_UTF8("\"\xE2\x82(\"");
	NOT_UTF8("\"\xED\xA0\x80\"");
	NOT_UTF8("\"\xED\xBF\xBF\"");
	NOT_UTF8("\"\xF0\x80\x80\x80\"");
	NOT_UTF8("\"\xF0\x8F\xBF\xBF\"");
	NOT_UTF8("\"\xF0\x9F\x98\"");
	NOT_UTF8("\"\xF0\x9F\x98(\"");
	NOT_UTF8("\"\xF4\x90\x80\x80\"");
	NOT_UTF8("\"\xF5\x80\x80\x80\"");
	NOT_UTF8("\"\xFE\"");
	NOT_UTF8("\"\xFF\"");
	NOT_UTF8("\"caf\xE9\"");
	NOT_UTF8("\"\xC3\xC3\xA9\"");
}

static void
test_containers(void)
{
	GOOD("[]");
	GOOD("{}");
	GOOD("[ ]");
	GOOD("{ }");
	GOOD("[1,\"a\",null,true,[],{},[[]],{\"a\":{\"b\":[{}]}}]");
	GOOD("{\"a\":1,\"a\":2,\"\":3}");
	GOOD("[\n1\t,\r\n2 ]");
	BAD("[");
	BAD("]");
	BAD("{");
	BAD("[}");
	BAD("{]");
	BAD("[1,]");
	BAD("[,1]");
	BAD("[1,,2]");
	BAD("[1 2]");
	BAD("[1:2]");
	BAD("{,}");
	BAD("{\"a\":{}");
	BAD("{\"a\"}");
	BAD("{\"a\":}");
	BAD("{\"a\":1,}");
	BAD("{\"a\" 1}");
	BAD("{\"a\":1 \"b\":2}");
	BAD("{a:1}");
	BAD("{1:1}");
	BAD("{\"a\":1;\"b\":2}");
	BAD("{\"a\",\"b\"}");
	BAD("{\"a\\q\":1}");
	NOT_UTF8("{\"\xFF\":1}");
	NOT_UTF8("[{\"a\":[\"\xFF\"]}]");
}

/* ---- whole ranges ---- */

/* every byte at the places of a document where white space may stand (section 2) */
static void
test_every_byte_between_tokens(void)
{
	static const char pattern[] = "@[@{@\"a\"@:@[@1@,@{@}@]@,@\"b\"@:@null@}@,@{@}@]@";
	static Outcome outcome;

	for (size_t place = 0; place < sizeof(pattern); place++)
	{
		bool		good = true;

		if (pattern[place] != '@')
			continue;
		for (int byte = 0; byte < 256; byte++)
		{
			char		document[sizeof(pattern)];
			size_t		length = 0;
			bool		space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';

			/* it may be part of the number, or of another grammar's BOM */
			if (isdigit(byte) || byte == '-' || byte == '.' || byte == 'e' || byte == 'E' || byte == 0xEF ||
				byte == 0xFE || byte == 0xFF)
				continue;
			for (size_t i = 0; i < sizeof(pattern) - 1; i++)
			{
				if (i == place)
					document[length++] = (char) byte;
				else if (pattern[i] != '@')
					document[length++] = pattern[i];
			}
			run(&outcome, document, length, byte % 2, JSON_FORMAT_DOCUMENT, NULL);
			if ((outcome.code == JSON_ERROR_NONE) != space)
			{
				printf("# byte %d: %s (%s)\n", byte, outcome.text, outcome.message);
				good = false;
			}
		}
		check(good, "of all bytes, four are white space at place %zu", place);
	}
}

/* every byte in a string: raw, behind a backslash, as a digit of \u (section 7) */
static void
test_every_byte_in_strings(void)
{
	bool		raw = true;
	bool		escaped = true;
	bool		digits = true;

	for (int byte = 0; byte < 256; byte++)
	{
		char		text[20] = "\"plain -> X <-\"";
		JsonErrorCode code = byte < 0x20 ? JSON_ERROR_SYNTAX : byte < 0x80 ? JSON_ERROR_NONE :
		JSON_ERROR_ENCODING;

		text[10] = (char) byte;
		/* a quote ends it, a backslash makes the next one part of it */
		if (byte == '"' || byte == '\\')
			code = JSON_ERROR_SYNTAX;
		if (byte != '\\')
			raw &= value_gives(text, 15, code);

		memcpy(text, "\"ab\\Xcd\"", 8);
		text[4] = (char) byte;
		code = byte != '\0' && strchr("\"\\/bfnrt", byte) != NULL ? JSON_ERROR_NONE : JSON_ERROR_SYNTAX;
		escaped &= value_gives(text, 8, code);

		for (int digit = 0; digit < 4; digit++)
		{
			memcpy(text, "\"\\u0000\"", 8);
			text[3 + digit] = (char) byte;
			digits &= value_gives(text, 8, isxdigit(byte) ? JSON_ERROR_NONE : JSON_ERROR_SYNTAX);
		}
	}
	check(raw, "every byte in a string");
	check(escaped, "every byte behind a backslash");
	check(digits, "every byte as a digit of \\u");
}

/* well-formed UTF-8 by the arithmetic of code points (RFC 3629, section 3) */
static bool
is_utf8(const unsigned char *p, size_t length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	while (length > 0)
	{
		size_t		n = *p < 0x80 ? 1 : *p < 0xC0 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF8 ? 4 : 0;
		uint32_t	point = n == 1 ? *p : *p & (0x7F >> n);

		if (n == 0 || n > length)
			return false;
		for (size_t i = 1; i < n; i++)
		{
			if (p[i] >> 6 != 2)
				return false;
			point = point << 6 | (p[i] & 0x3F);
		}
		if (n > 1 && (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)))
			return false;
		p += n;
		length -= n;
	}
	return true;
}

static void
test_every_sequence(void)
{
	/* the ends of each range that a continuation can be in */
	static const unsigned char next[] = {0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
	static Outcome outcome;
	int			wrong = 0;
	char		document[] = "[{\"v\":\"long enough for a block .... \"}]";
	unsigned char *at = (unsigned char *) document + 32;

	for (int first = 0x80; first < 0x100; first++)
		for (int second = 0x7E; second < 0xC2; second++)
			for (size_t third = 0; third < sizeof(next); third++)
				for (size_t fourth = 0; fourth < sizeof(next); fourth++)
				{
					at[0] = (unsigned char) first;
					at[1] = (unsigned char) second;
					at[2] = next[third];
					at[3] = next[fourth];
					run(&outcome, document, sizeof(document) - 1, fourth % 4, JSON_FORMAT_AUTO, NULL);
					wrong += (outcome.code == JSON_ERROR_NONE) != is_utf8(at, 4);
				}
	check(wrong == 0, "what begins with a byte that is not ASCII is UTF-8 or refused");
}

/* what each \u, and each pair of them, stands for (section 7) */
static void
test_every_code_unit(void)
{
	static const unsigned int edges[] = {0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000};
	int			wrong = 0;

	for (unsigned int unit = 0; unit <= 0xFFFF; unit++)
	{
		char		text[8];
		char		out[8];
		JsonValue	value = {JSON_STRING, true, 6, text};
		bool		surrogate = unit >= 0xD800 && unit <= 0xDFFF;
		int64_t		length;

		snprintf(text, sizeof(text), unit % 2 ? "\\u%04x" : "\\u%04X", unit);
		length = json_value_unescape(&value, out);
		if (unit == 0 || surrogate)
			wrong += length != (unit == 0 ? -1 : -2);
		else
			wrong += length != (unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3) ||
				!is_utf8((unsigned char *) out, (size_t) length) ||
				(unit < 0x80 && out[0] != (char) unit);
	}
	check(wrong == 0, "every \\u is a character, NUL, or a lone surrogate");

	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
		{
			char		text[16];
			char		out[16];
			JsonValue	value = {JSON_STRING, true, 12, text};
			bool		high = edges[i] >= 0xD800 && edges[i] <= 0xDBFF;
			bool		low = edges[j] >= 0xDC00 && edges[j] <= 0xDFFF;
			bool		alone = (edges[i] >= 0xD800 && edges[i] <= 0xDFFF && !high) ||
			(edges[j] >= 0xD800 && edges[j] <= 0xDFFF && !low);
			int64_t		expected = high != low || alone ? -2 : high ? 4 : 6;

			snprintf(text, sizeof(text), "\\u%04X\\u%04x", edges[i], edges[j]);
			check(json_value_unescape(&value, out) == expected, "%s", text);
		}
}

/* every text of up to n characters, by counting in an alphabet */
static bool
next_text(char *text, int most, const char *alphabet)
{
	for (int i = 0; i < most; i++)
	{
		const char *letter = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);

		if (letter == NULL || letter[1] != '\0')
		{
			text[i] = letter == NULL ? alphabet[0] : letter[1];
			return true;
		}
		text[i] = alphabet[0];
	}
	return false;
}

/* section 6 as a regular expression */
static void
test_every_number(void)
{
	static Outcome outcome;
	regex_t		grammar;
	char		text[7] = "";
	char		document[32];
	int			wrong = 0;
	int			n = 0;

	if (regcomp(&grammar, "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?$", REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	while (next_text(text, 6, "-+01.eE"))
	{
		bool		good = regexec(&grammar, text, 0, NULL, 0) == 0;

		snprintf(document, sizeof(document), "[{\"v\":%s}]", text);
		run(&outcome, document, strlen(document), (size_t) (n++ % 3), JSON_FORMAT_AUTO, NULL);
		if ((outcome.code == JSON_ERROR_NONE) != good && wrong++ < 10)
			printf("# %s: %s (%s)\n", text, outcome.text, outcome.message);
	}
	regfree(&grammar);
	check(wrong == 0 && n > 130000, "every text of up to 6 characters of a number");
}

/*
 * Sections 3 to 5, a letter for each token: s a string, t a literal.  NULL: no
 * value begins here.
 */
static const char *
after_value(const char *p)
{
	char		close;

	if (*p == 't' || *p == 's')
		return p + 1;
	if (*p != '[' && *p != '{')
		return NULL;
	close = *p == '[' ? ']' : '}';
	if (p[1] == close)
		return p + 2;
	do
	{
		p++;
		if (close == '}')
		{
			if (p[0] != 's' || p[1] != ':')
				return NULL;
			p += 2;
		}
		p = after_value(p);
	} while (p != NULL && *p == ',');
	return p != NULL && *p == close ? p + 1 : NULL;
}

static void
test_every_structure(void)
{
	static Outcome outcome;
	char		middle[8] = "";
	int			wrong = 0;
	int			n = 0;

	while (next_text(middle, 6, "[]{},:ts"))
	{
		char		letters[16];
		char		document[64];
		char	   *out = document;
		const char *end;

		snprintf(letters, sizeof(letters), "[{s:%s}]", middle);
		for (const char *p = letters; *p != '\0'; p++)
			out += sprintf(out, *p == 's' ? "\"s\"" : *p == 't' ? "true" : "%c", *p);
		end = after_value(letters);
		run(&outcome, document, strlen(document), (size_t) (n++ % 3), JSON_FORMAT_AUTO, NULL);
		/* what is JSON may still have records that are no objects */
		if (end != NULL && *end == '\0' && outcome.code == JSON_ERROR_SHAPE)
			continue;
		if ((outcome.code == JSON_ERROR_NONE) != (end != NULL && *end == '\0') && wrong++ < 10)
			printf("# %s: %s (%s)\n", document, outcome.text, outcome.message);
	}
	check(wrong == 0 && n > 290000, "every text of up to 6 tokens");
}

/* section 8.1: UTF-8 only; a byte order mark may be ignored at the start */
static void
test_encodings(void)
{
	static const struct
	{
		const char *name;
		const char *bytes;
		size_t		length;
		const char *expected;
	}			samples[] = {
		{"UTF-8", "[]", 2, "end"},
		{"UTF-8 with a mark", "\xEF\xBB\xBF[]", 5, "end"},
		{"a mark behind white space", " \xEF\xBB\xBF[]", 6, "syntax record 0 offset 1"},
		{"a mark at the end", "[]\xEF\xBB\xBF", 5, "syntax record 0 offset 2"},
		{"a mark between tokens", "[\xEF\xBB\xBF]", 5, "syntax record 1 offset 1"},
		{"UTF-16 with a mark, big endian", "\xFE\xFF\0[\0]", 6, "encoding record 0 offset 0"},
		{"UTF-16 with a mark, little endian", "\xFF\xFE[\0]\0", 6, "encoding record 0 offset 0"},
		{"UTF-16 without a mark, big endian", "\0[\0]", 4, "syntax record 0 offset 0"},
		{"UTF-16 without a mark, little endian", "[\0]\0", 4, "syntax record 1 offset 1"},
		{"UTF-32 with a mark, little endian", "\xFF\xFE\0\0[\0\0\0]\0\0\0", 12, "encoding record 0 offset 0"},
		{"UTF-32 without a mark, big endian", "\0\0\0[\0\0\0]", 8, "syntax record 0 offset 0"},
		{"UTF-7", "+AFsAXQ-", 8, "syntax record 0 offset 0"},
		{"CESU-8", "[{\"a\":\"\xED\xA0\xBD\xED\xB8\x80\"}]", 16, "encoding record 1 offset 7"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		static Outcome outcome;
		bool		good = true;

		for (size_t c = 0; c < N_CHUNKS; c++)
		{
			run(&outcome, samples[i].bytes, samples[i].length, chunks[c], JSON_FORMAT_AUTO, NULL);
			good &= strcmp(outcome.text, samples[i].expected) == 0;
		}
		if (!good)
			printf("# %s\n", outcome.text);
		check(good, "%s: %s", samples[i].name, samples[i].expected);
	}
}

/* a document that is cut anywhere is never taken for a whole one */
static void
test_truncation(void)
{
	static const struct
	{
		const char *text;
		const char *pointer;
		JsonRecordFormat format;
	}			samples[] = {
		{"[{\"id\":12,\"n\":\"a\\u00e4\xC3\xA4\xF0\x9F\x98\x80\",\"o\":{\"x\":[true,null,-1.5e+3]}},{\"id\":13}]", NULL, JSON_FORMAT_AUTO},
		{"{\"a\":[1,{\"b\":2}],\"data\":{\"rows\":[{\"id\":1},{\"id\":2}],\"n\":2},\"z\":[\"\\\\\"]}", "/data/rows", JSON_FORMAT_AUTO},
		{"\xEF\xBB\xBF{\"id\":1,\"t\":[[],{}]}", NULL, JSON_FORMAT_DOCUMENT},
		{"[[{\"a\":false}],[{\"a\":0}]]", "/1", JSON_FORMAT_AUTO},
	};
	static Outcome outcome;

	for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++)
	{
		size_t		whole = strlen(samples[s].text);
		bool		good = true;

		for (size_t length = 0; length <= whole; length++)
		{
			for (size_t i = 0; i < N_CHUNKS; i++)
			{
				bool		mark = length > 0 && length < 3 && samples[s].text[0] == '\xEF';

				run(&outcome, samples[s].text, length, chunks[i], samples[s].format,
					samples[s].pointer);
				if (length == whole)
					good &= outcome.code == JSON_ERROR_NONE;
				else
					good &= outcome.code == JSON_ERROR_SYNTAX &&
						outcome.offset == (mark ? 0 : (int64_t) length);
				if (!good)
				{
					printf("# %zu bytes, chunks of %zu: %s\n", length, chunks[i], outcome.text);
					i = N_CHUNKS;
					length = whole;
				}
			}
		}
		check(good, "cut after every byte: %s", samples[s].text);
	}
}

static char *
put(char *p, const char *text)
{
	size_t		length = strlen(text);

	memcpy(p, text, length);
	return p + length;
}

/* the record array and the record are the two outermost levels */
static void
expect_depth(int repetitions, const char *open, const char *close, bool good)
{
	static Outcome outcome;
	char	   *document = allocate(100000);
	char	   *p = put(document, "[{\"v\":");
	bool		as_expected = true;

	for (int i = 0; i < repetitions; i++)
		p = put(p, open);
	p = put(p, "0");
	for (int i = 0; i < repetitions; i++)
		p = put(p, close);
	p = put(p, "}]");
	for (size_t i = 0; i < N_CHUNKS; i++)
	{
		run(&outcome, document, (size_t) (p - document), chunks[i], JSON_FORMAT_AUTO, NULL);
		as_expected &= outcome.code == (good ? JSON_ERROR_NONE : JSON_ERROR_LIMIT);
	}
	check(as_expected, "%d times %s is %s", repetitions, open, good ? "accepted" : "refused");
	free(document);
}

/* the levels that led to the records count no more behind them */
static void
expect_depth_behind_records(int repetitions, const char *expected)
{
	char		document[2000];
	char	   *p = put(document, "{\"a\":{\"b\":[]},\"z\":");

	for (int i = 0; i < repetitions; i++)
		p = put(p, "[");
	for (int i = 0; i < repetitions; i++)
		p = put(p, "]");
	p = put(p, "}");
	expect(document, (size_t) (p - document), JSON_FORMAT_AUTO, "/a/b", expected, NULL);
}

static void
test_depth(void)
{
	int			most = JSON_MAX_DEPTH - 2;

	expect_depth(most, "[", "]", true);
	expect_depth(most, "{\"a\":", "}", true);
	expect_depth(most / 2 - 1, "[{\"b\":[1],\"a\":", "}]", true);
	expect_depth(most + 1, "[", "]", false);
	expect_depth(most + 1, "{\"a\":", "}", false);
	expect_depth(most / 2 + 1, "[{\"a\":", "}]", false);
	expect_depth(40000, "[", "]", false);
	expect_depth_behind_records(JSON_MAX_DEPTH - 1, "end");
	expect_depth_behind_records(JSON_MAX_DEPTH, "limit record 0 offset 529");
}

int
main(void)
{
	test_numbers();
	test_literals();
	test_strings();
	test_utf8();
	test_containers();
	test_every_byte_between_tokens();
	test_every_byte_in_strings();
	test_every_sequence();
	test_every_code_unit();
	test_every_number();
	test_every_structure();
	test_encodings();
	test_truncation();
	test_depth();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

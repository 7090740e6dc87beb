/*-------------------------------------------------------------------------
 *
 * json_share_test.c
 *		Host test of two JSON readers that share a document; prints TAP.
 *
 * The documents are drawn at random, from a seed, to be what makes it hard to find
 * the end of a record: braces, brackets, quotes and backslashes in texts and keys,
 * nested objects and arrays, long and short.  Then bytes of them are changed.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sharing.h"
#include "tap.h"

#define DOCUMENTS	300
#define MUTATIONS	20

static uint64_t state = 20261126;

/* below n */
static unsigned int
draw(unsigned int n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int) (state >> 33) % n;
}

typedef struct Text
{
	char		bytes[100000];
	size_t		length;
} Text;

static void
add(Text * text, const char *piece)
{
	size_t		length = strlen(piece);

	if (text->length + length < sizeof(text->bytes))
	{
		memcpy(text->bytes + text->length, piece, length);
		text->length += length;
	}
}

static void
add_string(Text * text)
{
	static const char *const pieces[] = {
		"a", "text of some length", "{", "}", "[", "]", "},{", "\\\"", "\\\\", "\\\\\\\"", "\\u005c", "\xC3\xA4", ",", ":", "\\n",
		"a long text that fills more than one block of sixty-four bytes, so that nothing is in it but itself and spaces"
	};

	add(text, "\"");
	for (unsigned int n = draw(5); n > 0; n--)
		add(text, pieces[draw(sizeof(pieces) / sizeof(pieces[0]))]);
	add(text, "\"");
}

static void
add_value(Text * text, int depth)
{
	unsigned int kind = draw(depth > 4 ? 6 : 9);

	if (kind < 3)
		add_string(text);
	else if (kind < 6)
		add(text, kind == 3 ? "12.5e3" : kind == 4 ? "null" : "true");
	else if (kind < 8)
	{
		add(text, "{");
		for (unsigned int n = draw(4), i = 0; i < n; i++)
		{
			add(text, i > 0 ? ", " : "");
			add_string(text);
			add(text, ": ");
			add_value(text, depth + 1);
		}
		add(text, "}");
	}
	else
	{
		add(text, "[");
		for (unsigned int n = draw(4), i = 0; i < n; i++)
		{
			add(text, i > 0 ? "," : "");
			add_value(text, depth + 1);
		}
		add(text, "]");
	}
}

static void
add_record(Text * text)
{
	static const char *const keys[] = {"\"id\"", "\"{\"", "\"a\\\"b\"", "\"x\""};
	unsigned int n = draw(5);

	add(text, "{");
	for (unsigned int i = 0; i < n && i < 4; i++)
	{
		add(text, i > 0 ? "," : "");
		add(text, keys[i]);
		add(text, ":");
		add_value(text, 1);
	}
	add(text, "}");
}

static void
make_document(Text * text, bool lines)
{
	unsigned int n = draw(60);

	text->length = 0;
	add(text, lines ? "" : "[");
	for (unsigned int i = 0; i < n; i++)
	{
		add(text, i > 0 ? lines ? "\n" : draw(2) ? "," : " ,\n " : "");
		add_record(text);
	}
	add(text, lines ? "\n" : "]");
}

static bool
agrees(const Text * text, bool lines)
{
	static const int64_t stripes[] = {1, 40, 100, 1000, 5000};
	unsigned int pattern = 1 + draw(255);
	int64_t		stripe = stripes[draw(5)];
	const char *difference = sharing_differs(text->bytes, text->length, draw(3) ? 0 : 1 + draw(100),
											 lines && draw(2) ? JSON_FORMAT_LINES : JSON_FORMAT_AUTO, NULL, stripe, pattern);

	if (difference != NULL)
		printf("# %s, pattern %u, stripes of %d: %.*s\n", difference, pattern, (int) stripe,
			   (int) (text->length > 2000 ? 2000 : text->length), text->bytes);
	return difference == NULL;
}

static void
test_documents(bool lines)
{
	static Text text;
	static Text changed;
	bool		whole = true;
	bool		broken = true;

	for (int i = 0; i < DOCUMENTS; i++)
	{
		make_document(&text, lines);
		whole = whole && agrees(&text, lines);
		for (int j = 0; j < MUTATIONS && text.length > 0; j++)
		{
			memcpy(&changed, &text, sizeof(changed));
			if (draw(4) == 0)
				changed.length = draw((unsigned int) text.length);
			else
				changed.bytes[draw((unsigned int) text.length)] = "\"\\{}[],:x\n"[draw(10)];
			broken = broken && agrees(&changed, lines);
		}
	}
	check(whole, "%d %s", DOCUMENTS, lines ? "sequences of lines" : "arrays");
	check(broken, "the same with bytes that were changed, or an end that is missing");
}

static void
test_places(void)
{
	static Text text;
	const char *difference;

	text.length = 0;
	add(&text, "{\"meta\": [{\"a\": 1}, {\"b\": \"}]\"}], \"data\": {\"rows\": [");
	for (int i = 0; i < 50; i++)
		add(&text, i > 0 ? ",{\"id\":1,\"tags\":[{\"x\":\"}\"}]}" : "{\"id\":0}");
	add(&text, "], \"more\": [{}, {}]}, \"last\": {}}");
	difference = sharing_differs(text.bytes, text.length, 0, JSON_FORMAT_AUTO, "/data/rows", 64, 2);
	check(difference == NULL, "records inside of a document: %s", difference ? difference : "the same");
	difference = sharing_differs(text.bytes, text.length, 0, JSON_FORMAT_AUTO, NULL, 64, 2);
	check(difference == NULL, "a document that is one record: %s", difference ? difference : "the same");
}

int
main(void)
{
	test_documents(false);
	test_documents(true);
	test_places();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

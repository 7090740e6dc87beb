/*-------------------------------------------------------------------------
 *
 * time_text.c
 *		What a text says that PostgreSQL reads as a date or time.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/time_text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* the part of the text between blanks that is being looked at */
typedef struct TimeToken
{
	const char *start;
	bool		clock;			/* a time of day has begun in it */
	bool		first;			/* of the text */
} TimeToken;

static bool
is_letter(char c)
{
	return (unsigned char) ((c | 0x20) - 'a') < 26;
}

static const char *
skip_digits(const char *p)
{
	return p + strspn(p, "0123456789");
}

static bool
is_word_of(const char *const *words, const char *word, size_t length)
{
	for (; *words != NULL; words++)
	{
		if (strlen(*words) == length && strncasecmp(*words, word, length) == 0)
			return true;
	}
	return false;
}

/* Is it the name of a month or a day of the week, or the beginning of one? */
static bool
is_calendar_word(const char *word, size_t length)
{
	static const char *const names[] = {
		"january", "february", "march", "april", "may", "june", "july", "august", "september",
		"october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday",
		"saturday", "sunday", NULL
	};

	for (const char *const *name = names; *name != NULL && length >= 3; name++)
	{
		if (length <= strlen(*name) && strncasecmp(*name, word, length) == 0)
			return true;
	}
	return false;
}

/* What a word says.  A word that is none of those that are known may be a zone. */
static TimeTextParts
word_parts(const char *word, size_t length)
{
	static const char *const moving[] = {"now", "today", "tomorrow", "yesterday", NULL};
	static const char *const clock[] = {"am", "pm", "allballs", NULL};
	static const char *const others[] = {
		"ad", "bc", "j", "at", "on", "weds", "epoch", "infinity", NULL
	};

	if (is_word_of(moving, word, length))
		return TIME_TEXT_MOVING;
	if (is_word_of(clock, word, length))
		return TIME_TEXT_CLOCK;
	return is_word_of(others, word, length) || is_calendar_word(word, length) ? 0 : TIME_TEXT_ZONE;
}

/* Are there two numbers of one or two digits, and a third, with the same mark between them? */
static bool
has_open_order(const char *p)
{
	const char *start = p;
	char		mark;

	p = skip_digits(p);
	if (p == start || p - start > 2 || *p == '\0' || strchr("/.-", *p) == NULL)
		return false;
	mark = *p++;
	start = p;
	p = skip_digits(p);
	return p > start && p - start <= 2 && *p == mark && skip_digits(p + 1) > p + 1;
}

/* What a sign at p, which a digit follows, says.  In a date it stands between numbers. */
static TimeTextParts
sign_parts(const TimeToken *token, const char *p, TimeTextParts parts)
{
	if (*p == '+' || token->clock)
		return TIME_TEXT_ZONE;
	if (p == token->start)
		return (parts & TIME_TEXT_CLOCK) ? TIME_TEXT_ZONE : 0;
	/* 20240131 103000-08 */
	return !token->first && skip_digits(token->start) == p && p - token->start == 6 ?
		TIME_TEXT_CLOCK | TIME_TEXT_ZONE : 0;
}

TimeTextParts
time_text_parts(const char *text)
{
	TimeToken	token = {text, false, true};
	TimeTextParts parts = 0;
	const char *p = text;

	while (*p != '\0')
	{
		bool		begins = p == token.start;

		if (is_letter(*p))
		{
			const char *word = p;

			while (is_letter(*p))
				p++;
			/* 2024-01-31T10 */
			if (p - word == 1 && (*word == 'T' || *word == 't') && skip_digits(p) > p)
				token.clock = true;
			else
				parts |= word_parts(word, (size_t) (p - word));
		}
		else if (skip_digits(p) > p)
		{
			const char *end = skip_digits(p);

			if (begins && has_open_order(p))
				parts |= TIME_TEXT_ORDER;
			/* 20240131 103000 */
			if (begins && !token.first && end - p == 6 && (*end == '\0' || *end == '.'))
				parts |= TIME_TEXT_CLOCK;
			p = end;
		}
		else
		{
			if (*p == ':')
				token.clock = true;
			if ((*p == '+' || *p == '-') && skip_digits(p + 1) > p + 1)
				parts |= sign_parts(&token, p, parts);
			if (strchr(" \t\n\r\f\v", *p++) != NULL)
				token = (TimeToken) {p, false, token.first && begins};
		}
		if (token.clock)
			parts |= TIME_TEXT_CLOCK;
	}
	return parts;
}

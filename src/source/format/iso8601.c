/*-------------------------------------------------------------------------
 *
 * iso8601.c
 *		Dates and times as JSON APIs write them.
 *
 * A record often has several timestamps, so this must not cost more than the
 * scan of the text itself: fixed positions, no struct tm, no sscanf.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/iso8601.h"

#include <stdbool.h>

#define MICROSECONDS	INT64_C(1000000)
#define DAY_SECONDS		86400
#define DAYS_TO_2000	730425	/* from 0000-03-01 to 2000-01-01 */

typedef struct Cursor
{
	const char *p;
	const char *end;
} Cursor;

static bool
at_digit(const Cursor *cursor)
{
	return cursor->p < cursor->end && (unsigned char) (*cursor->p - '0') < 10;
}

static bool
take(Cursor *cursor, char c)
{
	if (cursor->p == cursor->end || *cursor->p != c)
		return false;
	cursor->p++;
	return true;
}

/* exactly two digits, at most max */
static bool
take_two(Cursor *cursor, int max, int *result)
{
	unsigned int tens;
	unsigned int ones;

	if (cursor->end - cursor->p < 2)
		return false;
	tens = (unsigned char) (cursor->p[0] - '0');
	ones = (unsigned char) (cursor->p[1] - '0');
	if (tens > 9 || ones > 9)
		return false;
	cursor->p += 2;
	*result = (int) (tens * 10 + ones);
	return *result <= max;
}

static int
days_in_month(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/*
 * Years are counted from March: the leap day is their last, and the months
 * before a month have (153 * month + 2) / 5 days.
 */
static int
days_since_2000(int year, int month, int day)
{
	int			march_year = month > 2 ? year : year - 1;
	int			march_month = month > 2 ? month - 3 : month + 9;

	return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
		(153 * march_month + 2) / 5 + day - 1 - DAYS_TO_2000;
}

static bool
take_date(Cursor *cursor, int *days)
{
	int			century;
	int			year;
	int			month;
	int			day;

	if (!take_two(cursor, 99, &century) || !take_two(cursor, 99, &year) ||
		!take(cursor, '-') || !take_two(cursor, 12, &month) ||
		!take(cursor, '-') || !take_two(cursor, 31, &day))
		return false;
	year += century * 100;
	if (year == 0 || month == 0 || day == 0 || day > days_in_month(year, month))
		return false;
	*days = days_since_2000(year, month, day);
	return true;
}

/* one digit or more behind the point; rounded to microseconds */
static bool
take_fraction(Cursor *cursor, int *microseconds)
{
	int			unit = (int) MICROSECONDS;
	int			sum = 0;

	if (!at_digit(cursor))
		return false;
	for (; at_digit(cursor) && unit > 1; cursor->p++)
	{
		unit /= 10;
		sum += (*cursor->p - '0') * unit;
	}
	if (at_digit(cursor) && *cursor->p >= '5')
		sum++;
	while (at_digit(cursor))
		cursor->p++;
	*microseconds = sum;
	return true;
}

/* microseconds since the day's start */
static bool
take_time(Cursor *cursor, int64_t *result)
{
	int			hour;
	int			minute;
	int			second = 0;
	int			fraction = 0;
	int64_t		sum;

	if (!take_two(cursor, 24, &hour) || !take(cursor, ':') ||
		!take_two(cursor, 59, &minute))
		return false;
	if (take(cursor, ':'))
	{
		if (!take_two(cursor, 60, &second))
			return false;
		if (take(cursor, '.') && !take_fraction(cursor, &fraction))
			return false;
	}
	sum = ((hour * 60 + minute) * 60 + second) * MICROSECONDS + fraction;
	*result = sum;

	/* 24:00:00 is the end of the day; nothing is later */
	return hour < 24 || sum == DAY_SECONDS * MICROSECONDS;
}

/* seconds east of UTC; p: at Z or a sign */
static bool
take_zone(Cursor *cursor, int *offset)
{
	bool		west;
	int			hour;
	int			minute = 0;

	*offset = 0;
	if (take(cursor, 'Z') || take(cursor, 'z'))
		return true;
	west = take(cursor, '-');
	if ((!west && !take(cursor, '+')) || !take_two(cursor, 23, &hour))
		return false;
	if ((take(cursor, ':') || at_digit(cursor)) && !take_two(cursor, 59, &minute))
		return false;
	*offset = (hour * 60 + minute) * (west ? -60 : 60);
	return true;
}

IsoKind
iso8601_parse(const char *text, size_t length, int64_t *value)
{
	Cursor		cursor = {text, text + length};
	IsoKind		kind = ISO_TIMESTAMP;
	int			days;
	int			offset = 0;
	int64_t		time;

	if (!take_date(&cursor, &days))
		return ISO_NONE;
	if (cursor.p == cursor.end)
	{
		*value = days;
		return ISO_DATE;
	}
	if (!take(&cursor, 'T') && !take(&cursor, 't') && !take(&cursor, ' '))
		return ISO_NONE;
	if (!take_time(&cursor, &time))
		return ISO_NONE;
	if (cursor.p < cursor.end)
	{
		kind = ISO_TIMESTAMPTZ;
		if (!take_zone(&cursor, &offset) || cursor.p < cursor.end)
			return ISO_NONE;
	}
	*value = (days * (int64_t) DAY_SECONDS - offset) * MICROSECONDS + time;
	return kind;
}

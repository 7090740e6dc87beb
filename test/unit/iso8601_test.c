/*-------------------------------------------------------------------------
 *
 * iso8601_test.c
 *		Host test of the date and time parser; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/iso8601.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY		INT64_C(86400000000)
#define HOUR	INT64_C(3600000000)
#define MINUTE	INT64_C(60000000)
#define SECOND	INT64_C(1000000)

static int	n_tests = 0;
static int	n_failed = 0;

static void
check(bool good, const char *name)
{
	n_tests++;
	n_failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", n_tests, name);
}

static IsoKind
parse(const char *text, int64_t *value)
{
	/* no byte to spare, so that a sanitizer sees over-reads */
	size_t		length = strlen(text);
	char	   *copy = malloc(length > 0 ? length : 1);
	IsoKind		kind;

	if (copy == NULL)
		abort();
	memcpy(copy, text, length);
	kind = iso8601_parse(copy, length, value);
	free(copy);
	return kind;
}

static void
expect(const char *text, IsoKind kind, int64_t expected)
{
	int64_t		value = -1;
	IsoKind		found = parse(text, &value);

	if (found != kind || value != expected)
		printf("# found kind %d, value %lld\n", (int) found, (long long) value);
	check(found == kind && value == expected, text);
}

static void
refuse(const char *text)
{
	int64_t		value;

	check(parse(text, &value) == ISO_NONE, *text != '\0' ? text : "(empty)");
}

static int
month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2 && (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)))
		return 29;
	return days[month - 1];
}

/* each day of 9999 years is the one after the day before; no other is accepted */
static void
test_every_day(void)
{
	int64_t		expected = -730119; /* 0001-01-01 */
	bool		good = true;

	for (int year = 1; year <= 9999; year++)
	{
		for (int month = 1; month <= 12; month++)
		{
			for (int day = 0; day <= 32; day++)
			{
				char		text[40];
				int64_t		value;
				IsoKind		kind;

				snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
				kind = iso8601_parse(text, 10, &value);
				if (day >= 1 && day <= month_days(year, month))
					good &= kind == ISO_DATE && value == expected++;
				else
					good &= kind == ISO_NONE;
			}
		}
	}
	check(good && expected == 2921940, "every day from 0001-01-01 to 9999-12-31");
}

static void
test_timestamps(void)
{
	expect("2000-01-01", ISO_DATE, 0);
	expect("1970-01-01", ISO_DATE, -10957);
	expect("2024-02-29", ISO_DATE, 8825);
	expect("2000-01-01T00:00:00", ISO_TIMESTAMP, 0);
	expect("2000-01-01t01:02:03", ISO_TIMESTAMP, HOUR + 2 * MINUTE + 3 * SECOND);
	expect("2000-01-01 01:02", ISO_TIMESTAMP, HOUR + 2 * MINUTE);
	expect("1999-12-31T23:59:59", ISO_TIMESTAMP, -SECOND);
	expect("2000-01-02T23:59:60", ISO_TIMESTAMP, 2 * DAY);
	expect("2000-01-01T23:59:60.5", ISO_TIMESTAMP, DAY + SECOND / 2);
	expect("2000-01-01T24:00:00", ISO_TIMESTAMP, DAY);
	expect("2000-01-01T24:00", ISO_TIMESTAMP, DAY);
	expect("2000-01-01T24:00:00.000Z", ISO_TIMESTAMPTZ, DAY);
	expect("0001-01-01T00:00:00", ISO_TIMESTAMP, -730119 * DAY);
	expect("9999-12-31T23:59:59.999999", ISO_TIMESTAMP, 2921940 * DAY - 1);
	expect("0001-01-01T00:00:00+01:00", ISO_TIMESTAMPTZ, -730119 * DAY - HOUR);
}

static void
test_fractions(void)
{
	expect("2000-01-01T00:00:00.1", ISO_TIMESTAMP, 100000);
	expect("2000-01-01T00:00:00.000001", ISO_TIMESTAMP, 1);
	expect("2000-01-01T00:00:00.123456Z", ISO_TIMESTAMPTZ, 123456);
	expect("2000-01-01T00:00:00.1234564", ISO_TIMESTAMP, 123456);
	expect("2000-01-01T00:00:00.1234565", ISO_TIMESTAMP, 123457);
	expect("2000-01-01T00:00:00.123456499999999999999", ISO_TIMESTAMP, 123456);
	expect("2000-01-01T00:00:00.9999996Z", ISO_TIMESTAMPTZ, SECOND);
	expect("1999-12-31T23:59:59.9999999999", ISO_TIMESTAMP, 0);
}

static void
test_zones(void)
{
	expect("2000-01-01T00:00:00Z", ISO_TIMESTAMPTZ, 0);
	expect("2000-01-01T00:00z", ISO_TIMESTAMPTZ, 0);
	expect("2000-01-01T02:00:00+02", ISO_TIMESTAMPTZ, 0);
	expect("2000-01-01T02:00:00+0200", ISO_TIMESTAMPTZ, 0);
	expect("2000-01-01T02:00:00+02:00", ISO_TIMESTAMPTZ, 0);
	expect("2000-01-01T00:00:00-05:30", ISO_TIMESTAMPTZ, 5 * HOUR + 30 * MINUTE);
	expect("2000-01-01 00:00:00.5-00:00", ISO_TIMESTAMPTZ, SECOND / 2);
	expect("2000-01-01T00:00:00+23:59", ISO_TIMESTAMPTZ, -(23 * HOUR + 59 * MINUTE));
}

static void
test_refused(void)
{
	static const char *const texts[] = {
		"", "2", "2000", "2000-01", "2000-01-0", "20000101", "2000-1-01", "2000/01/01",
		"0000-01-01", "2000-00-01", "2000-13-01", "2000-01-00", "2000-01-32", "2001-02-29",
		"1900-02-29", "2000-04-31", " 2000-01-01", "2000-01-01 ", "-2000-01-01", "+2000-01-01",
		"2000-01-01Z", "2000-01-01T", "2000-01-01T1", "2000-01-01T12", "2000-01-01T12:",
		"2000-01-01T12:0", "2000-01-01T12:00:", "2000-01-01T12:00:0", "2000-01-01T1200",
		"2000-01-01T12Z", "2000-01-01X12:00", "2000-01-01  12:00", "2000-01-01T25:00:00",
		"2000-01-01T24:00:01", "2000-01-01T24:01", "2000-01-01T24:00:00.1", "2000-01-01T12:60",
		"2000-01-01T12:00:61", "2000-01-01T12:00:00.", "2000-01-01T12:00:00.Z",
		"2000-01-01T12:00:00,5", "2000-01-01T12:00.5", "2000-01-01T12:00:00 Z",
		"2000-01-01T12:00:00ZZ", "2000-01-01T12:00:00Z ", "2000-01-01T12:00:00+",
		"2000-01-01T12:00:00+1", "2000-01-01T12:00:00+01:", "2000-01-01T12:00:00+01:0",
		"2000-01-01T12:00:00+010", "2000-01-01T12:00:00+24:00", "2000-01-01T12:00:00+01:60",
		"2000-01-01T12:00:00+01:00:00", "2000-01-01T12:00:00+-1:00", "2000-01-01T12:00:00UTC",
		"2000-01-01T-1:00:00", "2000-01-01T12:00:00.5e3", "2000-0a-01", "20:0-01-01", "2000-01-/1"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuse(texts[i]);
}

int
main(void)
{
	test_every_day();
	test_timestamps();
	test_fractions();
	test_zones();
	test_refused();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

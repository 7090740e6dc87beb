/*-------------------------------------------------------------------------
 *
 * time_text_test.c
 *		Host test of what a text says that PostgreSQL reads as a time; prints TAP.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/time_text.h"

#include <stdio.h>

static int	n_tests = 0;
static int	n_failed = 0;

static void
expect(const char *text, TimeTextParts parts)
{
	TimeTextParts found = time_text_parts(text);

	n_tests++;
	n_failed += found != parts;
	printf("%s %d - \"%s\"\n", found == parts ? "ok" : "not ok", n_tests, text);
	if (found != parts)
		printf("# found %d instead of %d\n", (int) found, (int) parts);
}

int
main(void)
{
	/* dates */
	expect("", 0);
	expect("2024-01-31", 0);
	expect("January 31, 2024", 0);
	expect("31-Jan-2024", 0);
	expect("Wed 31 Jan 2024 AD", 0);
	expect("20240131", 0);
	expect("2024/01/31", 0);
	expect("J2451187", 0);
	expect("-infinity", 0);

	/* the order of day and month */
	expect("03/04/2024", TIME_TEXT_ORDER);
	expect("3.4.24", TIME_TEXT_ORDER);
	expect("31-01-2024", TIME_TEXT_ORDER);
	expect("24-01-31", TIME_TEXT_ORDER);
	expect("10:00 03/04/2024", TIME_TEXT_ORDER | TIME_TEXT_CLOCK);

	/* times of day */
	expect("2024-01-31 10:00", TIME_TEXT_CLOCK);
	expect("2024-01-31T10", TIME_TEXT_CLOCK);
	expect("20240131T103000", TIME_TEXT_CLOCK);
	expect("20240131 103000", TIME_TEXT_CLOCK);
	expect("Jan 31 2024 10 PM", TIME_TEXT_CLOCK);
	expect("10:00 31-Jan-2024", TIME_TEXT_CLOCK);
	expect("10:00 2024-01-31", TIME_TEXT_CLOCK);

	/* zones */
	expect("2024-01-31 10:00 PST", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("2024-01-31 10:00Z", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("2024-01-31 10:00 Europe/Berlin", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("2024-01-31 10:00+01", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("2024-01-31 10:00-08", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("Jan 31, 2024 23:30 -0800", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("20240131T103000-08", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("20240131 103000-08", TIME_TEXT_CLOCK | TIME_TEXT_ZONE);
	expect("2024-01-31 UTC", TIME_TEXT_ZONE);

	/* words */
	expect("today", TIME_TEXT_MOVING);
	expect("NOW", TIME_TEXT_MOVING);
	expect("tomorrow 10:00", TIME_TEXT_MOVING | TIME_TEXT_CLOCK);
	expect("[today,infinity)", TIME_TEXT_MOVING);

	printf("1..%d\n", n_tests);
	return n_failed > 0;
}

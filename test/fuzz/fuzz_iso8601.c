/*-------------------------------------------------------------------------
 *
 * fuzz_iso8601.c
 *		libFuzzer harness of the date and time parser.
 *
 * What is accepted as a date must be the same day when it is written back by
 * the C library's calendar, and a timestamp must lie within a day of the date
 * that it begins with.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/iso8601.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

#define UNIX_TO_2000	INT64_C(946684800)
#define DAY_MICROSECONDS INT64_C(86400000000)

static void
check_date(const char *text, int64_t days)
{
	time_t		seconds = (time_t) (days * 86400 + UNIX_TO_2000);
	struct tm	date;
	char		again[40];

	CHECK(gmtime_r(&seconds, &date) != NULL);
	snprintf(again, sizeof(again), "%04d-%02d-%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday);
	CHECK(memcmp(again, text, 10) == 0);
}

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* exactly as long as the text, so that reading beyond it is seen */
	char	   *text = malloc(size + 1);
	int64_t		value;
	int64_t		days;
	IsoKind		kind;

	memcpy(text, data, size);
	text = realloc(text, size > 0 ? size : 1);
	kind = iso8601_parse(text, size, &value);
	if (kind != ISO_NONE)
	{
		CHECK(iso8601_parse(text, 10, &days) == ISO_DATE);
		check_date(text, days);
	}
	if (kind == ISO_DATE)
		CHECK(size == 10 && value == days);
	if (kind == ISO_TIMESTAMP)
		CHECK(value >= days * DAY_MICROSECONDS && value <= (days + 1) * DAY_MICROSECONDS + 1000000);
	if (kind == ISO_TIMESTAMPTZ)
		CHECK(value > (days - 1) * DAY_MICROSECONDS && value < (days + 2) * DAY_MICROSECONDS + 1000000);
	free(text);
	return 0;
}

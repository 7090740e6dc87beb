/*-------------------------------------------------------------------------
 *
 * duration.c
 *		Durations as the manifest writes them: 30s, 1.5h, 90d, 10.
 *
 * strtod() follows the locale of the process and would take "1,5h" for one and a
 * half hours on some machines, so this file reads the number itself.  A slip must
 * not become another setting: a text is refused unless its last byte is understood.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/duration.h"

#include <stddef.h>
#include <string.h>

#define UNITS_HINT \
	"write a number and one unit, for instance 30s; units are ns, us, ms, s, m, h, d and w"
#define COMPOUND_HINT \
	"write one number and one unit: 90m or 1.5h instead of 1h30m"

/* 100 years of 365.25 days */
#define MAX_MILLISECONDS	(INT64_C(36525) * 24 * 60 * 60 * 1000)

/* further digits cannot change a millisecond */
#define MAX_SIGNIFICANT		18
#define MAX_EXPONENT		400

/* A fraction, since 0.001 has no exact binary form and 1500us must round up. */
typedef struct DurationUnit
{
	const char *name;
	long double milliseconds;
	long double per;			/* units that have this length together */
} DurationUnit;

static const DurationUnit units[] = {
	{"", 1000, 1},
	{"ns", 1, 1000000},
	{"us", 1, 1000},
	{"Ms", 1, 1000},
	{"\xc2\xb5s", 1, 1000},		/* micro sign */
	{"\xce\xbcs", 1, 1000},		/* Greek mu, which looks the same */
	{"ms", 1, 1},
	{"s", 1000, 1},
	{"m", 60000, 1},
	{"h", 3600000, 1},
	{"d", 86400000, 1},
	{"w", 604800000, 1},
};

typedef struct Number
{
	int64_t		mantissa;
	int			exponent;		/* power of ten */
	int			digits;			/* seen in all, to tell "." from "0." */
	int			significant;
} Number;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* fraction: the digit stands after the point */
static void
add_digit(Number *number, char c, bool fraction)
{
	number->digits++;
	if (number->significant >= MAX_SIGNIFICANT)
	{
		if (!fraction && number->exponent < MAX_EXPONENT)
			number->exponent++;
		return;
	}
	number->mantissa = number->mantissa * 10 + (c - '0');
	if (number->mantissa > 0)
		number->significant++;
	if (fraction && number->exponent > -MAX_EXPONENT)
		number->exponent--;
}

/* Reads an exponent if digits follow: "1e" ends before the e. */
static const char *
read_exponent(Number *number, const char *text)
{
	const char *p = text + 1;
	bool		negative = *p == '-';
	int			exponent = 0;

	if (*p == '+' || *p == '-')
		p++;
	if (!is_digit(*p))
		return text;
	for (; is_digit(*p); p++)
	{
		if (exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (*p - '0');
	}
	number->exponent += negative ? -exponent : exponent;
	return p;
}

static const char *
read_number(Number *number, const char *text)
{
	const char *p = text;

	for (; is_digit(*p); p++)
		add_digit(number, *p, false);
	if (*p == '.')
	{
		for (p++; is_digit(*p); p++)
			add_digit(number, *p, true);
	}
	if (number->digits > 0 && (*p == 'e' || *p == 'E'))
		p = read_exponent(number, p);
	return p;
}

static const DurationUnit *
find_unit(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	}
	return NULL;
}

/* The number times its unit, or a negative value when past the maximum. */
static long double
number_times_unit(const Number *number, const DurationUnit *unit)
{
	long double value = (long double) number->mantissa * unit->milliseconds;
	long double divisor = unit->per;

	if (number->mantissa == 0)
		return 0;
	for (int i = 0; i < number->exponent; i++)
		value *= 10;
	for (int i = number->exponent; i < 0; i++)
		divisor *= 10;
	value /= divisor;			/* one division, to round once */
	return value > (long double) MAX_MILLISECONDS ? -1 : value;
}

static bool
refuse_text(const char **error, const char **hint, const char *what, const char *cure)
{
	*error = what;
	*hint = cure;
	return false;
}

bool
duration_parse(const char *text, int64_t *milliseconds,
			   const char **error, const char **hint)
{
	Number		number = {0};
	const DurationUnit *unit;
	const char *rest;
	long double value;

	if (*text == '\0')
		return refuse_text(error, hint, "is empty", UNITS_HINT);
	if (*text == '-')
		return refuse_text(error, hint, "is negative", UNITS_HINT);
	rest = read_number(&number, *text == '+' ? text + 1 : text);
	if (number.digits == 0)
		return refuse_text(error, hint, "is not a duration", UNITS_HINT);

	unit = find_unit(rest);
	if (unit == NULL)
	{
		/* a letter and later a digit: several units in one text */
		if (strpbrk(rest, "0123456789") != NULL)
			return refuse_text(error, hint, "mixes several units", COMPOUND_HINT);
		return refuse_text(error, hint, "has an unknown unit", UNITS_HINT);
	}

	value = number_times_unit(&number, unit);
	if (value < 0)
		return refuse_text(error, hint, "is longer than 100 years",
						   "leave the setting out when nothing should ever happen");
	*milliseconds = (int64_t) (value + 0.5L);
	if (*milliseconds == 0 && number.mantissa > 0)
		*milliseconds = 1;
	return true;
}

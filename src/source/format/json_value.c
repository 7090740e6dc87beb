/*-------------------------------------------------------------------------
 *
 * json_value.c
 *		Typed values of a record's fields: integers, doubles, plain text.
 *
 * The scanner has checked the grammar, so these functions trust it.  Doubles
 * are the hard part: they must be correctly rounded whatever their length,
 * and strtod() costs more than everything else that is done to a field.
 * Nearly all numbers in the wild need not go there.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/json_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source/format/bytes.h"

#define IS_DIGIT(c)		((unsigned char) ((c) - '0') < 10)

/* digits of a number that surely fit into 64 bits */
#define WORD_DIGITS		19

/*
 * A decimal number halfway between two doubles has at most 767 significant
 * digits.  Of the digits beyond that it matters only whether all are zero.
 */
#define ROUNDING_DIGITS	768

/* beyond this every number is 0 or infinity, however many digits are kept */
#define MAX_EXPONENT	100000

/* +-mantissa * 10^exponent */
typedef struct Decimal
{
	bool		negative;
	bool		exact;			/* no digit but zeros was left out of mantissa */
	int			digits;			/* of mantissa, at most WORD_DIGITS */
	uint64_t	mantissa;		/* the first significant digits */
	int64_t		exponent;
} Decimal;

/* false: it is too large */
static inline bool
give_sign(uint64_t number, bool negative, int64_t *result)
{
	if (number > (uint64_t) INT64_MAX + negative)
		return false;
	*result = (int64_t) (negative ? UINT64_C(0) - number : number);
	return true;
}

bool
json_value_integer(const JsonValue *value, int64_t *result)
{
	const char *p = value->start;
	const char *end = p + value->length;
	uint64_t	number = 0;
	bool		negative;

	if (value->kind != JSON_INTEGER)
		return false;
	negative = *p == '-';
	p += negative;
	if (end - p > WORD_DIGITS)
		return false;			/* the grammar allows no leading zeros */
	for (; p < end; p++)
		number = number * 10 + (uint64_t) (*p - '0');
	return give_sign(number, negative, result);
}

/* p: behind the e; clamped, so that adding a number's length cannot overflow */
static int64_t
read_exponent(const char *p, const char *end)
{
	bool		negative = *p == '-';
	int64_t		exponent = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end; p++)
	{
		if (exponent < INT64_C(1000000000000))
			exponent = exponent * 10 + (*p - '0');
	}
	return negative ? -exponent : exponent;
}

/* integers up to this are doubles without rounding */
#define MAX_EXACT_INTEGER (UINT64_C(1) << 53)

/*
 * The numbers that nearly all are: few digits, perhaps a point, no exponent.
 * False: it is another one.
 */
static inline bool
read_short_decimal(const JsonValue *value, Decimal *decimal)
{
	const char *p = value->start;
	const char *end = p + value->length;
	const char *point = NULL;
	uint64_t	mantissa = 0;

	if (value->length > WORD_DIGITS)
		return false;
	decimal->negative = *p == '-';
	for (p += decimal->negative; p < end; p++)
	{
		unsigned char digit = (unsigned char) (*p - '0');

		if (digit < 10)
			mantissa = mantissa * 10 + digit;
		else if (*p == '.')
			point = p;
		else
			return false;
	}
	if (mantissa > MAX_EXACT_INTEGER)
		return false;
	decimal->exact = true;
	decimal->digits = 0;		/* asked for when strtod() has to help: not for these */
	decimal->mantissa = mantissa;
	decimal->exponent = point != NULL ? point + 1 - end : 0;
	return true;
}

static void
read_decimal(const JsonValue *value, Decimal *decimal)
{
	const char *p = value->start;
	const char *end = p + value->length;
	int64_t		exponent = 0;
	uint64_t	mantissa = 0;
	int			digits = 0;
	bool		exact = true;
	bool		fraction = false;

	decimal->negative = *p == '-';
	if (decimal->negative)
		p++;
	for (; p < end; p++)
	{
		if (IS_DIGIT(*p))
		{
			if (digits < WORD_DIGITS)
			{
				mantissa = mantissa * 10 + (uint64_t) (*p - '0');
				digits += mantissa != 0;
				exponent -= fraction;
			}
			else
			{
				exact &= *p == '0';
				exponent += !fraction;
			}
		}
		else if (*p == '.')
			fraction = true;
		else
		{
			exponent += read_exponent(p + 1, end);
			break;
		}
	}
	decimal->exact = exact;
	decimal->digits = digits;
	decimal->mantissa = mantissa;
	decimal->exponent = exponent;
}

bool
json_value_whole(const JsonValue *value, int64_t *result)
{
	Decimal		decimal;

	if (value->kind == JSON_INTEGER)
		return json_value_integer(value, result);
	if (value->kind != JSON_DECIMAL)
		return false;
	read_decimal(value, &decimal);
	/* more digits than a word has: too large, or a fraction */
	if (!decimal.exact)
		return false;
	for (; decimal.exponent < 0 && decimal.mantissa != 0; decimal.exponent++)
	{
		if (decimal.mantissa % 10 != 0)
			return false;
		decimal.mantissa /= 10;
	}
	for (; decimal.exponent > 0 && decimal.mantissa != 0; decimal.exponent--)
	{
		if (decimal.mantissa > UINT64_MAX / 10)
			return false;
		decimal.mantissa *= 10;
	}
	return give_sign(decimal.mantissa, decimal.negative, result);
}

/*
 * Writes the number anew with at most ROUNDING_DIGITS digits and one more
 * that stands for all the rest, and lets strtod() round it.  There is no
 * decimal point in the copy, so the locale does not matter.
 */
static double
round_by_strtod(const JsonValue *value, const Decimal *decimal)
{
	char		copy[ROUNDING_DIGITS + 32];
	const char *p = value->start;
	const char *end = p + value->length;
	int64_t		exponent;
	int			digits = 0;
	bool		rest = false;

	for (; p < end && *p != 'e' && *p != 'E'; p++)
	{
		if (!IS_DIGIT(*p) || (digits == 0 && *p == '0'))
			continue;
		if (digits < ROUNDING_DIGITS)
			copy[digits++] = *p;
		else
			rest |= *p != '0';
	}
	if (rest)
		copy[digits++] = '1';

	/* other digits, but the first of them still has the same weight */
	exponent = decimal->exponent + decimal->digits - digits;
	if (exponent > MAX_EXPONENT)
		exponent = MAX_EXPONENT;
	if (exponent < -MAX_EXPONENT)
		exponent = -MAX_EXPONENT;
	snprintf(copy + digits, sizeof(copy) - (size_t) digits, "e%d", (int) exponent);
	return strtod(copy, NULL);
}

#ifdef __SIZEOF_INT128__

#define MAX_POWER_OF_5	27		/* the largest that 64 bits hold */

static const uint64_t powers_of_5[MAX_POWER_OF_5 + 1] = {
	UINT64_C(1), UINT64_C(5), UINT64_C(25),
	UINT64_C(125), UINT64_C(625), UINT64_C(3125),
	UINT64_C(15625), UINT64_C(78125), UINT64_C(390625),
	UINT64_C(1953125), UINT64_C(9765625), UINT64_C(48828125),
	UINT64_C(244140625), UINT64_C(1220703125), UINT64_C(6103515625),
	UINT64_C(30517578125), UINT64_C(152587890625), UINT64_C(762939453125),
	UINT64_C(3814697265625), UINT64_C(19073486328125), UINT64_C(95367431640625),
	UINT64_C(476837158203125), UINT64_C(2384185791015625), UINT64_C(11920928955078125),
	UINT64_C(59604644775390625), UINT64_C(298023223876953125), UINT64_C(1490116119384765625),
	UINT64_C(7450580596923828125)
};

/* number * 2^exponent, rounded to nearest, ties to even */
static double
round_binary(unsigned __int128 number, int exponent)
{
	uint64_t	high = (uint64_t) (number >> 64);
	int			bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t) number);
	int			excess = bits - 53;

	if (excess > 0)
	{
		unsigned	__int128 half = (unsigned __int128) 1 << (excess - 1);
		unsigned	__int128 rest = number & (2 * half - 1);

		number >>= excess;
		exponent += excess;
		if (rest > half || (rest == half && (number & 1) != 0))
			number++;
	}
	return ldexp((double) (uint64_t) number, exponent);
}

/*
 * Most other numbers have up to 19 digits and a small exponent, for instance
 * any double that was printed with 17 digits.  10^n is 5^n * 2^n, and the
 * product or quotient of two 64-bit integers is computed exactly, or with a
 * remainder of which only matters whether it is zero: that is the last bit.
 */
static double
round_by_integers(uint64_t mantissa, int exponent)
{
	uint64_t	divisor;
	unsigned	__int128 dividend;
	uint64_t	quotient;
	int			mantissa_shift;
	int			divisor_shift;

	if (exponent >= 0)
		return round_binary((unsigned __int128) mantissa * powers_of_5[exponent], exponent);

	/* both with their highest bit set: the quotient has 63 or 64 bits */
	mantissa_shift = __builtin_clzll(mantissa);
	dividend = (unsigned __int128) (mantissa << mantissa_shift) << 63;
	divisor = powers_of_5[-exponent];
	divisor_shift = __builtin_clzll(divisor);
	divisor <<= divisor_shift;
	quotient = (uint64_t) (dividend / divisor);
	return round_binary((unsigned __int128) quotient << 1 |
						(dividend != (unsigned __int128) quotient * divisor),
						exponent + divisor_shift - mantissa_shift - 63 - 1);
}

#else

#define MAX_POWER_OF_5	(-1)	/* no number goes this way */

static double
round_by_integers(uint64_t mantissa, int exponent)
{
	return ldexp((double) mantissa, exponent);
}

#endif

bool
json_value_double(const JsonValue *value, double *result)
{
	/* these are doubles without rounding */
	static const double powers_of_10[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
	};
	Decimal		decimal;
	double		number;

	if (value->kind != JSON_INTEGER && value->kind != JSON_DECIMAL)
		return false;
	if (!read_short_decimal(value, &decimal))
		read_decimal(value, &decimal);

	/* one operation on exact operands rounds once: correctly */
	if (decimal.mantissa == 0)
		number = 0;
	else if (decimal.exact && decimal.mantissa <= MAX_EXACT_INTEGER &&
			 decimal.exponent >= -22 && decimal.exponent <= 22)
	{
		if (decimal.exponent < 0)
			number = (double) decimal.mantissa / powers_of_10[-decimal.exponent];
		else
			number = (double) decimal.mantissa * powers_of_10[decimal.exponent];
	}
	else if (decimal.exact && decimal.exponent >= -MAX_POWER_OF_5 &&
			 decimal.exponent <= MAX_POWER_OF_5)
		number = round_by_integers(decimal.mantissa, (int) decimal.exponent);
	else
		number = round_by_strtod(value, &decimal);

	if (isinf(number))
		return false;
	*result = decimal.negative ? -number : number;
	return true;
}

static unsigned int
read_hex4(const char *p)
{
	unsigned int code = 0;

	for (int i = 0; i < 4; i++)
	{
		unsigned char c = (unsigned char) p[i];

		code = code << 4 | (unsigned int) (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

static char *
write_utf8(char *out, unsigned int code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else
	{
		if (code < 0x800)
			*out++ = (char) (0xC0 | code >> 6);
		else
		{
			if (code < 0x10000)
				*out++ = (char) (0xE0 | code >> 12);
			else
			{
				*out++ = (char) (0xF0 | code >> 18);
				*out++ = (char) (0x80 | (code >> 12 & 0x3F));
			}
			*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		}
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	return out;
}

/* *p: behind \u, moved behind the character; -2 for a lone surrogate */
static int
read_code_point(const char **p, const char *end)
{
	unsigned int code = read_hex4(*p);

	*p += 4;
	if (code >= 0xD800 && code <= 0xDFFF)
	{
		unsigned int low;

		if (code >= 0xDC00 || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
			return -2;
		low = read_hex4(*p + 2);
		if (low < 0xDC00 || low > 0xDFFF)
			return -2;
		*p += 6;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	}
	return (int) code;
}

static char
simple_escape(char c)
{
	switch (c)
	{
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		default:
			return c;			/* quote, backslash, slash */
	}
}

static int64_t
unescape(const JsonValue *value, char *out, bool nul_allowed)
{
	const char *p = value->start;
	const char *end = p + value->length;
	char	   *start = out;

	while (p < end)
	{
		const char *backslash = value->escaped ? memchr(p, '\\', (size_t) (end - p)) : NULL;
		size_t		plain = (size_t) ((backslash != NULL ? backslash : end) - p);

		memcpy(out, p, plain);
		out += plain;
		if (backslash == NULL)
			break;
		p = backslash + 2;
		if (p[-1] != 'u')
			*out++ = simple_escape(p[-1]);
		else
		{
			int			code = read_code_point(&p, end);

			if (code < 0)
				return code;
			if (code == 0 && !nul_allowed)
				return -1;
			out = write_utf8(out, (unsigned int) code);
		}
	}
	return out - start;
}

int64_t
json_value_unescape(const JsonValue *value, char *out)
{
	return unescape(value, out, false);
}

int64_t
json_value_unescape_name(const JsonValue *value, char *out)
{
	return unescape(value, out, true);
}

static JsonKind
number_kind(const char *p, const char *end)
{
	JsonKind	kind = JSON_INTEGER;
	const char *digits;

	p += *p == '-';
	digits = p;
	p = bytes_skip_digits(p);
	if (p == digits || (*digits == '0' && p > digits + 1))
		return JSON_STRING;
	if (p < end && *p == '.')
	{
		kind = JSON_DECIMAL;
		digits = ++p;
		if ((p = bytes_skip_digits(p)) == digits)
			return JSON_STRING;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		kind = JSON_DECIMAL;
		p++;
		p += *p == '+' || *p == '-';
		digits = p;
		if ((p = bytes_skip_digits(p)) == digits)
			return JSON_STRING;
	}
	return p == end ? kind : JSON_STRING;
}

JsonKind
json_value_spelled_kind(const char *text, size_t length)
{
	if (length == 4 && strncasecmp(text, "true", 4) == 0)
		return JSON_TRUE;
	if (length == 5 && strncasecmp(text, "false", 5) == 0)
		return JSON_FALSE;
	return number_kind(text, text + length);
}

bool
json_value_replace_invalid(char *token, size_t length)
{
	static const char replacement[] = {'f', 'f', 'f', 'd'};
	const char *end = token + length;
	bool		replaced = false;

	for (char *p = token; (p = memchr(p, '\\', (size_t) (end - p))) != NULL;)
	{
		const char *next = p + 2;
		int			code = 1;

		if (p[1] == 'u')
			code = read_code_point(&next, end);
		if (code <= 0)
		{
			memcpy(p + 2, replacement, sizeof(replacement));
			replaced = true;
		}
		p += next - p;
	}
	return replaced;
}

/*-------------------------------------------------------------------------
 *
 * parquet_text.c
 *		The values of a Parquet file as texts.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT		(256 * 1024 * 1024)
#define MICROS_PER_DAY	INT64_C(86400000000)
#define JULIAN_1970		INT64_C(2440588)	/* the Julian day of 1970-01-01 */

void
parquet_text_append(ParquetText *text, const char *bytes, size_t length)
{
	if (length > MAX_TEXT - text->length)
		parquet_fail(text->file, "a value has more than 256 MB as text");
	if (text->length + length > text->capacity)
	{
		text->capacity = (text->length + length) * 2;
		text->bytes = parquet_allocate(text->file, text->bytes, text->capacity);
	}
	if (length > 0)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

static void
append_string(ParquetText *text, const char *string)
{
	parquet_text_append(text, string, strlen(string));
}

/* the shortest text that reads back as the same number */
static void
append_number(ParquetText *text, double number, bool single)
{
	char		buffer[40];

	if (isnan(number) || isinf(number))
	{
		append_string(text, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
		return;
	}
	for (int digits = single ? 6 : 15; digits <= (single ? 9 : 17); digits++)
	{
		snprintf(buffer, sizeof(buffer), "%.*g", digits, number);
		if (single ? strtof(buffer, NULL) == (float) number : strtod(buffer, NULL) == number)
			break;
	}
	append_string(text, buffer);
}

/* big-endian, in two's complement: digits, with a point before the last "scale" of them */
static void
append_decimal(ParquetText *text, const uint8_t *bytes, size_t length, int scale)
{
	bool		negative = length > 0 && (bytes[0] & 0x80) != 0;
	size_t		n_digits = length * 5 / 2 + (size_t) scale + 2;
	uint8_t    *magnitude = parquet_allocate(text->file, NULL, length + n_digits + 1);
	char	   *digits = (char *) magnitude + length;
	char	   *position = digits + n_digits;
	size_t		start = 0;
	unsigned	carry = negative;

	for (size_t i = length; i-- > 0;)
	{
		unsigned	byte = negative ? (uint8_t) ~bytes[i] + carry : bytes[i];

		magnitude[i] = (uint8_t) byte;
		carry = negative && byte > 0xff;
	}
	while (start < length || digits + n_digits - position <= scale)
	{
		unsigned	remainder = 0;

		for (size_t i = start; i < length; i++)
		{
			remainder = remainder << 8 | magnitude[i];
			magnitude[i] = (uint8_t) (remainder / 10);
			remainder %= 10;
		}
		while (start < length && magnitude[start] == 0)
			start++;
		*--position = (char) ('0' + remainder);
	}
	if (negative)
		parquet_text_append(text, "-", 1);
	parquet_text_append(text, position, (size_t) (digits + n_digits - position) - (size_t) scale);
	if (scale > 0)
	{
		parquet_text_append(text, ".", 1);
		parquet_text_append(text, digits + n_digits - scale, (size_t) scale);
	}
	free(magnitude);
}

static void
append_decimal_value(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value)
{
	uint8_t		bytes[8];

	if (leaf->physical == PARQUET_BYTE_ARRAY || leaf->physical == PARQUET_FIXED)
	{
		append_decimal(text, (const uint8_t *) value->bytes, value->length, leaf->scale);
		return;
	}
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) ((uint64_t) value->integer >> (56 - 8 * i));
	append_decimal(text, bytes, 8, leaf->scale);
}

/* a day of the proleptic Gregorian calendar, counted from 1970-01-01; years before 1 are BC */
static void
append_date(ParquetText *text, int64_t days, bool *bc)
{
	int64_t		z = days + 719468;
	int64_t		era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t		day_of_era = z - era * 146097;
	int64_t		year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t		day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t		month = (5 * day_of_year + 2) / 153;
	int64_t		day = day_of_year - (153 * month + 2) / 5 + 1;
	int64_t		year = year_of_era + era * 400 + (month >= 10);
	char		buffer[64];

	month = month < 10 ? month + 3 : month - 9;
	*bc = year <= 0;
	snprintf(buffer, sizeof(buffer), "%04lld-%02d-%02d", (long long) (*bc ? 1 - year : year),
			 (int) month, (int) day);
	append_string(text, buffer);
}

static void
append_time(ParquetText *text, int64_t microseconds)
{
	char		buffer[64];
	int64_t		seconds = microseconds / 1000000;

	snprintf(buffer, sizeof(buffer), "%02d:%02d:%02d", (int) (seconds / 3600), (int) (seconds / 60 % 60),
			 (int) (seconds % 60));
	append_string(text, buffer);
	if (microseconds % 1000000 != 0)
	{
		snprintf(buffer, sizeof(buffer), ".%06d", (int) (microseconds % 1000000));
		append_string(text, buffer);
	}
}

static int64_t
floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* nanoseconds to microseconds, to the nearest, and of two as near to the even one */
static int64_t
round_nanoseconds(int64_t nanoseconds)
{
	int64_t		micros = floor_divide(nanoseconds, 1000);
	int64_t		rest = nanoseconds - micros * 1000;

	return micros + (rest > 500 || (rest == 500 && micros % 2 != 0));
}

bool
parquet_microseconds(const ParquetNode *leaf, const ParquetValue *value, int64_t *result)
{
	if (leaf->physical == PARQUET_INT96)
	{
		int64_t		nanoseconds;
		int32_t		day;

		memcpy(&nanoseconds, value->bytes, 8);
		memcpy(&day, value->bytes + 8, 4);
		return !__builtin_mul_overflow(day - JULIAN_1970, MICROS_PER_DAY, result) &&
			!__builtin_add_overflow(*result, round_nanoseconds(nanoseconds), result);
	}
	if (leaf->unit == PARQUET_MILLIS)
		return !__builtin_mul_overflow(value->integer, INT64_C(1000), result);
	*result = leaf->unit == PARQUET_NANOS ? round_nanoseconds(value->integer) : value->integer;
	return true;
}

static void
append_timestamp(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value)
{
	int64_t		micros;
	int64_t		days;
	bool		bc;

	if (!parquet_microseconds(leaf, value, &micros))
		parquet_fail(text->file, "column \"%.63s\": timestamp out of range", leaf->name);
	days = floor_divide(micros, MICROS_PER_DAY);
	append_date(text, days, &bc);
	parquet_text_append(text, "T", 1);
	append_time(text, micros - days * MICROS_PER_DAY);
	if (leaf->meaning == PARQUET_TIMESTAMP && leaf->utc)
		parquet_text_append(text, "Z", 1);
	if (bc)
		append_string(text, " BC");
}

/* three little-endian numbers: months, days, milliseconds */
static void
append_interval(ParquetText *text, const char *bytes)
{
	uint32_t	parts[3];
	char		buffer[80];

	memcpy(parts, bytes, sizeof(parts));
	snprintf(buffer, sizeof(buffer), "P%uM%uDT%u.%03uS", parts[0], parts[1], parts[2] / 1000, parts[2] % 1000);
	append_string(text, buffer);
}

static void
append_hexadecimal(ParquetText *text, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++)
	{
		const char	pair[2] = {digits[(uint8_t) bytes[i] >> 4], digits[(uint8_t) bytes[i] & 15]};

		parquet_text_append(text, pair, 2);
	}
}

static void
append_uuid(ParquetText *text, const char *bytes)
{
	static const int parts[] = {4, 2, 2, 2, 6};

	for (int i = 0; i < 5; i++)
	{
		if (i > 0)
			parquet_text_append(text, "-", 1);
		append_hexadecimal(text, bytes, (size_t) parts[i]);
		bytes += parts[i];
	}
}

double
parquet_half(const char *bytes)
{
	unsigned	half = (uint8_t) bytes[0] | (unsigned) (uint8_t) bytes[1] << 8;
	int			exponent = (int) (half >> 10 & 0x1f);
	double		fraction = half & 0x3ff;
	double		number;

	if (exponent == 31)
		number = fraction == 0 ? INFINITY : NAN;
	else if (exponent == 0)
		number = ldexp(fraction, -24);
	else
		number = ldexp(fraction + 1024, exponent - 25);
	return half & 0x8000 ? -number : number;
}

static void
append_plain(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value)
{
	switch (leaf->physical)
	{
		case PARQUET_BOOLEAN:
			append_string(text, value->integer ? "true" : "false");
			break;
		case PARQUET_INT96:
			append_timestamp(text, leaf, value);
			break;
		case PARQUET_FLOAT:
		case PARQUET_DOUBLE:
			append_number(text, value->number, leaf->physical == PARQUET_FLOAT);
			break;
		default:
			append_string(text, "\\x");
			append_hexadecimal(text, value->bytes, value->length);
			break;
	}
}

void
parquet_text_value(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value)
{
	char		buffer[32];
	int64_t		micros;
	bool		bc;

	switch (leaf->meaning)
	{
		case PARQUET_TEXT:
		case PARQUET_JSON:
			parquet_text_append(text, value->bytes, value->length);
			break;
		case PARQUET_INTEGER:
			snprintf(buffer, sizeof(buffer), leaf->is_unsigned ? "%llu" : "%lld", (long long) value->integer);
			append_string(text, buffer);
			break;
		case PARQUET_DECIMAL:
			append_decimal_value(text, leaf, value);
			break;
		case PARQUET_DATE:
			append_date(text, value->integer, &bc);
			if (bc)
				append_string(text, " BC");
			break;
		case PARQUET_TIME:
			if (!parquet_microseconds(leaf, value, &micros) || micros < 0 || micros > MICROS_PER_DAY)
				parquet_fail(text->file, "column \"%.63s\": time out of range", leaf->name);
			append_time(text, micros);
			break;
		case PARQUET_TIMESTAMP:
			append_timestamp(text, leaf, value);
			break;
		case PARQUET_INTERVAL:
			append_interval(text, value->bytes);
			break;
		case PARQUET_UUID:
			append_uuid(text, value->bytes);
			break;
		case PARQUET_FLOAT16:
			append_number(text, parquet_half(value->bytes), true);
			break;
		default:
			append_plain(text, leaf, value);
			break;
	}
}

void
parquet_text_string(ParquetText *text, const char *bytes, size_t length)
{
	size_t		plain = 0;

	parquet_text_append(text, "\"", 1);
	for (size_t i = 0; i < length; i++)
	{
		uint8_t		byte = (uint8_t) bytes[i];
		char		escape[8];

		if (byte >= 0x20 && byte != '"' && byte != '\\')
			continue;
		parquet_text_append(text, bytes + plain, i - plain);
		plain = i + 1;
		if (byte >= 0x20)
			snprintf(escape, sizeof(escape), "\\%c", byte);
		else
			snprintf(escape, sizeof(escape), "\\u%04x", byte);
		append_string(text, escape);
	}
	parquet_text_append(text, bytes + plain, length - plain);
	parquet_text_append(text, "\"", 1);
}

/* whether the value's text is a literal of JSON */
static bool
is_json_literal(const ParquetNode *leaf, const ParquetValue *value)
{
	switch (leaf->meaning)
	{
		case PARQUET_JSON:
		case PARQUET_INTEGER:
		case PARQUET_DECIMAL:
			return true;
		case PARQUET_FLOAT16:
			return isfinite(parquet_half(value->bytes));
		case PARQUET_PLAIN_VALUE:
			if (leaf->physical == PARQUET_FLOAT || leaf->physical == PARQUET_DOUBLE)
				return isfinite(value->number);
			return leaf->physical == PARQUET_BOOLEAN;
		default:
			return false;
	}
}

void
parquet_text_json(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value)
{
	if (leaf->meaning == PARQUET_TEXT)
		parquet_text_string(text, value->bytes, value->length);
	else if (is_json_literal(leaf, value))
		parquet_text_value(text, leaf, value);
	else
	{
		/* Of the values that are left, only bytes need an escape: that of their first character. */
		parquet_text_append(text, "\"", 1);
		if (leaf->meaning == PARQUET_PLAIN_VALUE && leaf->physical != PARQUET_INT96 &&
			leaf->physical != PARQUET_FLOAT && leaf->physical != PARQUET_DOUBLE)
			parquet_text_append(text, "\\", 1);
		parquet_text_value(text, leaf, value);
		parquet_text_append(text, "\"", 1);
	}
}

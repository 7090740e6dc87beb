/*-------------------------------------------------------------------------
 *
 * json_value.h
 *		Typed values of a record's fields.
 *
 * The scanner has checked the grammar, so these functions trust it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_VALUE_H
#define SPICE_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum JsonKind
{
	JSON_ABSENT,				/* the record does not have the field */
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_INTEGER,				/* -?digits, no fraction, no exponent */
	JSON_DECIMAL,				/* any other number */
	JSON_STRING,
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_NOT_FINITE				/* NaN, Infinity, -Infinity: no JSON, but what some programs write */
} JsonKind;

/* one field of the current record; points into the reader's window */
typedef struct JsonValue
{
	JsonKind	kind;
	bool		escaped;		/* string holds a backslash */
	size_t		length;
	const char *start;			/* strings: without the quotes, still escaped */
} JsonValue;

/*
 * Returns the kind of the number or boolean that a text spells as JSON does, with
 * booleans in any case, or JSON_STRING: 007 is a text.  May look at the byte behind
 * the text, which is part of no number.
 */
extern JsonKind json_value_spelled_kind(const char *text, size_t length);

/* Returns false when the value is not an integer, or does not fit. */
extern bool json_value_integer(const JsonValue *value, int64_t *result);

/* The same for any whole number, 3.0 and 1e3 among them. */
extern bool json_value_whole(const JsonValue *value, int64_t *result);

/* Rounds correctly; returns false when the number is out of range. */
extern bool json_value_double(const JsonValue *value, double *result);

/*
 * Writes the text of a string to out, at most value->length bytes of UTF-8, and
 * returns how many; -1 for \u0000, which only a member's name may hold, and -2
 * for a lone surrogate.
 */
extern int64_t json_value_unescape(const JsonValue *value, char *out);
extern int64_t json_value_unescape_name(const JsonValue *value, char *out);

/*
 * Writes \uFFFD over the escapes \u0000 and lone surrogates in the token of a value; returns
 * whether there was one.
 */
extern bool json_value_replace_invalid(char *token, size_t length);

#endif

/*-------------------------------------------------------------------------
 *
 * percent.h
 *		Bytes as URLs write them: %20 for a blank.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PERCENT_H
#define SPICE_PERCENT_H

#include <stddef.h>
#include <string.h>

#include "ascii.h"

#define PERCENT_LENGTH	3		/* bytes of an escape */

/* Writes a byte of a value, escaped unless any part of a URL may hold it; returns the length. */
static inline size_t
percent_encode(char byte, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	if (memchr(plain, byte, sizeof(plain) - 1) != NULL)
	{
		out[0] = byte;
		return 1;
	}
	out[0] = '%';
	out[1] = digits[(unsigned char) byte >> 4];
	out[2] = digits[(unsigned char) byte & 15];
	return PERCENT_LENGTH;
}

/* The byte that the escape at text stands for; -1: there is none, or it stands for NUL. */
static inline int
percent_decode(const char *text)
{
	int			high = text[0] == '%' ? ascii_hex_digit(text[1]) : -1;
	int			low = high < 0 ? -1 : ascii_hex_digit(text[2]);

	return low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

#endif

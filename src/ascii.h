/*-------------------------------------------------------------------------
 *
 * ascii.h
 *		Letters and digits of ASCII, whatever the process's locale says.
 *
 * strcasecmp() asks the locale, and in a Turkish one "LOCATION" is not
 * "Location".  Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ASCII_H
#define SPICE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* the first n bytes of two texts; one that ends earlier is another */
static inline bool
ascii_same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
		if (a[i] == '\0')
			return true;
	}
	return true;
}

/* the value of a hexadecimal digit, or -1 */
static inline int
ascii_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif

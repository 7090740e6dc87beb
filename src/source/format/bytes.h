/*-------------------------------------------------------------------------
 *
 * bytes.h
 *		Scans over runs of bytes, which the readers of JSON and CSV share.
 *
 * The bytes end with a NUL and BYTES_PADDING bytes that may be read.  No run
 * holds a NUL, so the loops stop there by themselves and check no length.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_BYTES_H
#define SPICE_BYTES_H

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* zero bytes that have to follow the last byte */
#define BYTES_PADDING	16

/*
 * bytes_skip_plain() skips ASCII without control characters and without the two
 * bytes given.  bytes_skip_digits() skips digits; numbers are short, so that it
 * rarely loops.
 */
#ifdef __SSE2__

static inline const char *
bytes_skip_plain(const char *p, char one, char other)
{
	const __m128i ones = _mm_set1_epi8(one);
	const __m128i others = _mm_set1_epi8(other);
	const __m128i space = _mm_set1_epi8(' ');

	for (;;)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

		/* the comparison is signed: bytes from 0x80 are below the space, too */
		__m128i		special = _mm_or_si128(_mm_cmplt_epi8(bytes, space),
										   _mm_or_si128(_mm_cmpeq_epi8(bytes, ones),
														_mm_cmpeq_epi8(bytes, others)));
		int			mask = _mm_movemask_epi8(special);

		if (mask != 0)
			return p + __builtin_ctz((unsigned int) mask);
		p += 16;
	}
}

static inline const char *
bytes_skip_digits(const char *p)
{
	const __m128i zero = _mm_set1_epi8('0');
	const __m128i nine = _mm_set1_epi8(9);

	for (;;)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) (const void *) p);
		__m128i		values = _mm_sub_epi8(bytes, zero);

		/* unsigned: what was below '0' is large now */
		__m128i		digits = _mm_cmpeq_epi8(_mm_min_epu8(values, nine), values);
		unsigned int others = ~(unsigned int) _mm_movemask_epi8(digits) & 0xFFFF;

		if (others != 0)
			return p + __builtin_ctz(others);
		p += 16;
	}
}

#else

#define BYTES_EVERY(b)	(UINT64_C(0x0101010101010101) * (b))

/*
 * The high bit of a byte of the result is set if that byte is zero.  Bytes
 * above a zero byte may be flagged falsely, hence the loop at the end.
 */
static inline uint64_t
bytes_find_zero(uint64_t word)
{
	return (word - BYTES_EVERY(0x01)) & ~word & BYTES_EVERY(0x80);
}

static inline const char *
bytes_skip_plain(const char *p, char one, char other)
{
	for (;;)
	{
		uint64_t	word;
		uint64_t	special;

		memcpy(&word, p, sizeof(word));
		special = word & BYTES_EVERY(0x80);
		special |= (word - BYTES_EVERY(' ')) & ~word & BYTES_EVERY(0x80);
		special |= bytes_find_zero(word ^ BYTES_EVERY((unsigned char) one));
		special |= bytes_find_zero(word ^ BYTES_EVERY((unsigned char) other));
		if (special != 0)
			break;
		p += sizeof(word);
	}
	while ((unsigned char) *p >= ' ' && (unsigned char) *p < 0x80 &&
		   *p != one && *p != other)
		p++;
	return p;
}

static inline const char *
bytes_skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

#endif

/*
 * Finds the first byte that keeps the bytes at p from being a UTF-8 character
 * (no overlong form, no surrogate, nothing above U+10FFFF), or NULL if they
 * are one, whose length is in *length then.
 */
static inline const char *
bytes_find_bad_utf8(const char *p, int *length)
{
	unsigned char lead = (unsigned char) p[0];
	unsigned char second = (unsigned char) p[1];

	if (lead < 0x80)
		*length = 1;
	else if (lead < 0xC2 || lead > 0xF4)
		return p;
	else if (lead < 0xE0)
		*length = 2;
	else if (lead < 0xF0)
	{
		*length = 3;
		if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F))
			return p + 1;
	}
	else
	{
		*length = 4;
		if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
			return p + 1;
	}
	for (int i = 1; i < *length; i++)
	{
		if (!(((unsigned char) p[i] & 0xC0) == 0x80))
			return p + i;
	}
	return NULL;
}

/* Returns how many bytes the UTF-8 character at p has, 0 if it is none. */
static inline int
bytes_utf8_length(const char *p)
{
	int			length;

	return bytes_find_bad_utf8(p, &length) == NULL ? length : 0;
}

#endif

/*-------------------------------------------------------------------------
 *
 * json_skip.c
 *		Passes over records without looking into them.
 *
 * To know where a record ends takes the quotes and the braces outside of quotes, and
 * nothing else.  64 bytes at a time these are bits of words: the exclusive or of
 * all quotes up to a byte says whether it is in a string.  That is several times as
 * fast as reading; so several processes can share a document (reader_process.c),
 * each passing over what the others read.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/json_skip.h"

#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK	64

/* a bracket or brace outside of strings; true: this is where to stop, before or behind it */
static inline bool
take(JsonSkip *skip, const char *p, const char *target)
{
	switch (*p)
	{
		case '{':
			skip->depth++;
			return false;
		case '}':
			if (skip->depth == 0 || --skip->depth > 0)
				return false;
			skip->records++;
			return p + 1 >= target;
		default:
			skip->closed = skip->depth == 0;
			return skip->closed;
	}
}

static inline const char *
behind(const char *p)
{
	return *p == '}' ? p + 1 : p;
}

/* byte by byte; NULL: it goes on at end */
static const char *
skip_bytes(JsonSkip *skip, const char *p, const char *end, const char *target)
{
	for (; p < end; p++)
	{
		if (skip->escaped)
			skip->escaped = false;
		else if (*p == '"')
			skip->in_string = !skip->in_string;
		else if (skip->in_string)
			skip->escaped = *p == '\\';
		else if ((*p == '{' || *p == '}' || *p == ']') && take(skip, p, target))
			return behind(p);
	}
	return NULL;
}

#ifdef __SSE2__

/* bit i: byte i of the block is c */
static inline uint64_t
find(const __m128i *block, char c)
{
	const __m128i wanted = _mm_set1_epi8(c);
	uint64_t	bits = 0;

	for (int i = 0; i < BLOCK / 16; i++)
		bits |= (uint64_t) (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(block[i], wanted)) << (16 * i);
	return bits;
}

/* bit i: an odd number of the bits up to i is set */
static inline uint64_t
parity(uint64_t bits)
{
	for (int shift = 1; shift < BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/* false: there is a backslash, which wants a closer look.  *stop: where to stop, or NULL */
static inline bool
skip_block(JsonSkip *skip, const char *p, const char *target, const char **stop)
{
	__m128i		block[BLOCK / 16];
	uint64_t	inside;
	uint64_t	marks;

	for (int i = 0; i < BLOCK / 16; i++)
		block[i] = _mm_loadu_si128((const __m128i *) (const void *) p + i);
	if (find(block, '\\') != 0)
		return false;
	inside = parity(find(block, '"')) ^ (skip->in_string ? ~UINT64_C(0) : 0);
	marks = (find(block, '{') | find(block, '}') | find(block, ']')) & ~inside;
	for (; marks != 0; marks &= marks - 1)
	{
		const char *mark = p + __builtin_ctzll(marks);

		if (take(skip, mark, target))
		{
			*stop = behind(mark);
			return true;
		}
	}
	skip->in_string = inside >> (BLOCK - 1) != 0;
	*stop = NULL;
	return true;
}

#else

static inline bool
skip_block(JsonSkip *skip, const char *p, const char *target, const char **stop)
{
	*stop = skip_bytes(skip, p, p + BLOCK, target);
	return true;
}

#endif

const char *
json_skip_records(JsonSkip *skip, const char *p, const char *end, const char *target)
{
	const char *stop;

	for (; end - p >= BLOCK; p += BLOCK)
	{
		if (skip->escaped || !skip_block(skip, p, target, &stop))
			stop = skip_bytes(skip, p, p + BLOCK, target);
		if (stop != NULL)
			return stop;
	}
	return skip_bytes(skip, p, end, target);
}

/*-------------------------------------------------------------------------
 *
 * vector_distinct.c
 *		How many distinct values each group has.
 *
 * A hash table has the pairs of a group and a value, which is a word as in
 * vector_group.c.  A pair of a group and a dictionary's entry that has been seen is
 * not looked up again.  Without groups the strings that have a number are the count.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/float.h"
#include "utils/memutils.h"

#include "vector/vector_distinct.h"
#include "vector/vector_intern.h"

#define MAX_SEEN 65536			/* pairs of groups and entries that are remembered */

typedef struct Pair
{
	uint64		word;
	uint32		group;			/* plus one; 0: free */
} Pair;

struct DistinctCounts
{
	MemoryContext context;
	InternTable *intern;		/* of bytes */
	int64	   *counts;			/* per group */
	uint32		capacity;
	Pair	   *pairs;
	uint64		mask;
	uint64		used;
	uint64		dictionary;		/* serial number that seen is of */
	bool	   *seen;			/* per entry and group, a row of capacity for each entry */
};

DistinctCounts *
distinct_make(MemoryContext context, const VectorExpression *argument)
{
	DistinctCounts *counts = MemoryContextAllocZero(context, sizeof(DistinctCounts));

	counts->context = context;
	if (expression_type(argument)->class == VALUE_BYTES)
		counts->intern = intern_make(context);
	counts->mask = 1023;
	counts->pairs = MemoryContextAllocZero(context, (counts->mask + 1) * sizeof(Pair));
	counts->seen = MemoryContextAllocZero(context, MAX_SEEN);
	return counts;
}

void
distinct_make_room(DistinctCounts *counts, uint32 old, uint32 groups)
{
	if (counts->counts == NULL)
		counts->counts = MemoryContextAllocZero(counts->context, groups * sizeof(int64));
	else
	{
		counts->counts = repalloc_huge(counts->counts, groups * sizeof(int64));
		memset(counts->counts + old, 0, (groups - old) * sizeof(int64));
	}
	counts->capacity = groups;
	counts->dictionary = 0;
}

static uint64
hash_pair(uint64 word, uint32 group)
{
	return intern_mix(intern_mix(word) + group) >> 16;
}

static void
grow(DistinctCounts *counts)
{
	Pair	   *old = counts->pairs;
	uint64		old_size = counts->mask + 1;

	counts->mask = old_size * 4 - 1;
	counts->pairs = MemoryContextAllocExtended(counts->context, (counts->mask + 1) * sizeof(Pair),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < old_size; i++)
	{
		uint64		place;

		if (old[i].group == 0)
			continue;
		place = hash_pair(old[i].word, old[i].group - 1) & counts->mask;
		while (counts->pairs[place].group != 0)
			place = (place + 1) & counts->mask;
		counts->pairs[place] = old[i];
	}
	pfree(old);
}

static void
add_pair(DistinctCounts *counts, uint64 word, uint32 group)
{
	uint64		place = hash_pair(word, group) & counts->mask;

	while (counts->pairs[place].group != 0)
	{
		if (counts->pairs[place].word == word && counts->pairs[place].group == group + 1)
			return;
		place = (place + 1) & counts->mask;
	}
	counts->pairs[place] = (Pair) {word, group + 1};
	counts->counts[group]++;
	if (++counts->used > counts->mask / 2)
		grow(counts);
}

static uint64
word_of(double value)
{
	uint64		word;

	value = isnan(value) ? get_float8_nan() : value + 0.0;
	memcpy(&word, &value, sizeof(word));
	return word;
}

/* May seen be asked for this dictionary? */
static bool
know_dictionary(DistinctCounts *counts, const VectorDictionary *dictionary)
{
	if ((uint64) counts->capacity * dictionary->count > MAX_SEEN)
		return false;
	if (counts->dictionary != dictionary->serial)
		memset(counts->seen, 0, MAX_SEEN);
	counts->dictionary = dictionary->serial;
	return true;
}

static void
add_codes(DistinctCounts *counts, const Vector *vector, const uint32 *groups, int rows)
{
	const VectorDictionary *dictionary = vector->dictionary;
	bool		known = know_dictionary(counts, dictionary);

	for (int i = 0; i < rows; i++)
	{
		uint32		group = groups ? groups[i] : 0;
		uint32		place = vector->codes[i] * counts->capacity + group;
		uint32		number;

		if ((vector->nulls && vector->nulls[i]) || (known && counts->seen[place]))
			continue;
		number = intern_bytes(counts->intern, dictionary->entries[vector->codes[i]]);
		if (groups)
			add_pair(counts, number, group);
		if (known)
			counts->seen[place] = true;
	}
	if (groups == NULL)
		counts->counts[0] = intern_count(counts->intern);
}

static void
add_bytes(DistinctCounts *counts, const Vector *vector, const uint32 *groups, int rows)
{
	uint32		numbers[VECTOR_ROWS];

	intern_all(counts->intern, rows, vector->bytes, vector->nulls, numbers);
	for (int i = 0; groups && i < rows; i++)
	{
		if (vector->nulls == NULL || !vector->nulls[i])
			add_pair(counts, numbers[i], groups[i]);
	}
	if (groups == NULL)
		counts->counts[0] = intern_count(counts->intern);
}

void
distinct_add(DistinctCounts *counts, const Vector *vector, const uint32 *groups, int rows)
{
	if (vector->kind == VECTOR_CODE)
		add_codes(counts, vector, groups, rows);
	else if (vector->kind == VECTOR_BYTES)
		add_bytes(counts, vector, groups, rows);
	else
	{
		for (int i = 0; i < rows; i++)
		{
			uint64		word = vector->kind == VECTOR_FLOAT ?
			word_of(vector->floats[i]) : (uint64) vector->integers[i];

			if (vector->nulls == NULL || !vector->nulls[i])
				add_pair(counts, word, groups ? groups[i] : 0);
		}
	}
}

int64
distinct_count(const DistinctCounts *counts, uint32 group)
{
	return counts->counts[group];
}

/*-------------------------------------------------------------------------
 *
 * vector_group.c
 *		Numbers of groups for the selected rows of a batch.
 *
 * A key's value becomes a word of 64 bits: a number as it is, bytes by a number of their
 * own (vector_intern.h).  Words and nulls of all keys are looked up in a hash table.
 * Two shortcuts lead past it: a table by the codes of dictionaries, and one by the value
 * of a single whole number whose values lie close together.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/float.h"
#include "utils/memutils.h"

#include "vector/vector_group.h"
#include "vector/vector_intern.h"

#define MAX_CODES 65536			/* combinations of dictionary entries in a table */
#define MAX_RANGE (256 * 1024)	/* values in a table */
#define NO_GROUP PG_UINT32_MAX

typedef struct GroupKey
{
	VectorExpression *expression;
	const ValueType *type;
	InternTable *intern;		/* of bytes */
	uint64		dictionary;		/* serial number */
	uint32	   *entries;		/* numbers of its entries, or NO_GROUP */
	int			entry_capacity;
	const Vector *vector;		/* of the batch */
	uint32	   *numbers;		/* of its bytes */
} GroupKey;

typedef struct GroupSlot
{
	uint32		hash;
	uint32		group;			/* plus one; 0: free */
} GroupSlot;

struct GroupTable
{
	MemoryContext context;
	int			keys;
	GroupKey   *key;
	uint32		count;
	uint32		capacity;
	uint64	   *words;			/* of each group, key by key */
	uint64	   *shown;			/* the same as the first row has them: -0 is 0, and yet another */
	uint32	   *nulls;			/* a bit for each key */
	GroupSlot  *slots;
	uint64		mask;
	uint32	   *by_code;		/* MAX_CODES */
	uint64	   *by_code_of;		/* serial numbers of the dictionaries that it is of */
	uint32	   *by_value;		/* MAX_RANGE, or NULL: not this way */
	int64		first_value;
	bool		has_first_value;
	uint32		groups[VECTOR_ROWS];
};

GroupTable *
group_make(MemoryContext context, int keys, VectorExpression **expressions)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	GroupTable *table = palloc0(sizeof(GroupTable));

	table->context = context;
	table->keys = keys;
	table->key = palloc0(Max(keys, 1) * sizeof(GroupKey));
	table->mask = 255;
	table->slots = palloc0((table->mask + 1) * sizeof(GroupSlot));
	table->capacity = (table->mask + 1) / 2;
	table->words = palloc(table->capacity * keys * sizeof(uint64) + 1);
	table->shown = palloc(table->capacity * keys * sizeof(uint64) + 1);
	table->nulls = palloc(table->capacity * sizeof(uint32));
	table->by_code = palloc(MAX_CODES * sizeof(uint32));
	table->by_code_of = palloc0(Max(keys, 1) * sizeof(uint64));
	for (int i = 0; i < keys; i++)
	{
		GroupKey   *key = &table->key[i];

		key->expression = expressions[i];
		key->type = expression_type(expressions[i]);
		key->numbers = palloc(VECTOR_ROWS * sizeof(uint32));
		if (key->type->class == VALUE_BYTES)
			key->intern = intern_make(context);
	}
	if (keys == 1 && table->key[0].type->class == VALUE_INTEGER)
		table->by_value = palloc_extended(MAX_RANGE * sizeof(uint32), MCXT_ALLOC_HUGE);
	if (keys == 0)
		table->count = 1;
	MemoryContextSwitchTo(old);
	return table;
}

/* Without keys there is one group, even of no row. */
uint32
group_count(const GroupTable *table)
{
	return table->count;
}

/* ---------------------------------------------------------------- words */

static void
know_dictionary(GroupTable *table, GroupKey *key, const VectorDictionary *dictionary)
{
	if (key->dictionary == dictionary->serial)
		return;
	if (dictionary->count > key->entry_capacity)
	{
		key->entry_capacity = dictionary->count;
		key->entries = MemoryContextAlloc(table->context, key->entry_capacity * sizeof(uint32));
	}
	for (int i = 0; i < dictionary->count; i++)
		key->entries[i] = NO_GROUP;
	key->dictionary = dictionary->serial;
}

static uint64
number_of_entry(GroupKey *key, int code)
{
	if (key->entries[code] == NO_GROUP)
		key->entries[code] = intern_bytes(key->intern, key->vector->dictionary->entries[code]);
	return key->entries[code];
}

/* the word by which values are told apart, and the one that is shown */
static inline uint64
word_of(GroupKey *key, int row, uint64 *shown)
{
	const Vector *vector = key->vector;
	double		value;
	uint64		word;

	switch (vector->kind)
	{
		case VECTOR_INTEGER:
			return *shown = (uint64) vector->integers[row];
		case VECTOR_FLOAT:
			value = vector->floats[row];
			memcpy(shown, &value, sizeof(value));
			value = isnan(value) ? get_float8_nan() : value + 0.0;
			memcpy(&word, &value, sizeof(value));
			return word;
		case VECTOR_CODE:
			return *shown = number_of_entry(key, vector->codes[row]);
		default:
			return *shown = key->numbers[row];
	}
}

/* ---------------------------------------------------------------- the hash table */

static uint32
hash_words(int keys, const uint64 *words, uint32 nulls)
{
	uint64		hash = nulls;

	for (int i = 0; i < keys; i++)
		hash = intern_mix(hash * 31 + intern_mix(words[i]));
	return (uint32) (hash >> 16);
}

static void
grow(GroupTable *table)
{
	GroupSlot  *old = table->slots;
	uint64		old_size = table->mask + 1;

	table->mask = old_size * 4 - 1;
	table->slots = MemoryContextAllocExtended(table->context, (table->mask + 1) * sizeof(GroupSlot),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < old_size; i++)
	{
		uint64		place = old[i].hash & table->mask;

		if (old[i].group == 0)
			continue;
		while (table->slots[place].group != 0)
			place = (place + 1) & table->mask;
		table->slots[place] = old[i];
	}
	pfree(old);
	table->capacity = (table->mask + 1) / 2;
	table->words = repalloc_huge(table->words,
								 (Size) table->capacity * table->keys * sizeof(uint64));
	table->shown = repalloc_huge(table->shown,
								 (Size) table->capacity * table->keys * sizeof(uint64));
	table->nulls = repalloc_huge(table->nulls, (Size) table->capacity * sizeof(uint32));
}

static uint32
find_words(GroupTable *table, const uint64 *words, const uint64 *shown, uint32 nulls, uint32 hash)
{
	Size		size = table->keys * sizeof(uint64);
	uint64		place = hash & table->mask;
	GroupSlot  *slot;
	uint32		group;

	for (slot = &table->slots[place]; slot->group != 0; slot = &table->slots[place])
	{
		group = slot->group - 1;
		if (slot->hash == hash && table->nulls[group] == nulls &&
			memcmp(&table->words[(Size) group * table->keys], words, size) == 0)
			return group;
		place = (place + 1) & table->mask;
	}
	group = table->count++;
	*slot = (GroupSlot) {hash, group + 1};
	memcpy(&table->words[(Size) group * table->keys], words, size);
	memcpy(&table->shown[(Size) group * table->keys], shown, size);
	table->nulls[group] = nulls;
	if (table->count == table->capacity)
		grow(table);
	return group;
}

static uint32
words_of(GroupTable *table, int row, uint64 *words, uint64 *shown)
{
	uint32		nulls = 0;

	for (int i = 0; i < table->keys; i++)
	{
		GroupKey   *key = &table->key[i];

		if (key->vector->nulls && key->vector->nulls[row])
		{
			nulls |= (uint32) 1 << i;
			words[i] = shown[i] = 0;
		}
		else
			words[i] = word_of(key, row, &shown[i]);
	}
	return nulls;
}

static uint32
find_row(GroupTable *table, int row)
{
	uint64		words[GROUP_MAX_KEYS];
	uint64		shown[GROUP_MAX_KEYS];
	uint32		nulls = words_of(table, row, words, shown);

	return find_words(table, words, shown, nulls, hash_words(table->keys, words, nulls));
}

/* a key without a shortcut: hashes first, so that the memory is on its way */
static void
find_by_hash(GroupTable *table, int rows)
{
	uint64	   *words = MemoryContextAlloc(table->context,
										   (Size) rows * table->keys * 2 * sizeof(uint64));
	uint64	   *shown = words + (Size) rows * table->keys;
	uint32		nulls[VECTOR_ROWS];
	uint32		hashes[VECTOR_ROWS];

	for (int i = 0; i < rows; i++)
	{
		Size		place = (Size) i * table->keys;

		nulls[i] = words_of(table, i, words + place, shown + place);
		hashes[i] = hash_words(table->keys, words + place, nulls[i]);
		__builtin_prefetch(&table->slots[hashes[i] & table->mask]);
	}
	for (int i = 0; i < rows; i++)
	{
		Size		place = (Size) i * table->keys;

		table->groups[i] = find_words(table, words + place, shown + place, nulls[i], hashes[i]);
	}
	pfree(words);
}

/* ---------------------------------------------------------------- by codes */

/* the combinations of codes and null; 0: not all keys have dictionaries, or too many */
static int
count_codes(const GroupTable *table)
{
	int64		codes = 1;

	for (int i = 0; i < table->keys; i++)
	{
		if (table->key[i].vector->kind != VECTOR_CODE)
			return 0;
		codes *= table->key[i].vector->dictionary->count + 1;
		if (codes > MAX_CODES)
			return 0;
	}
	return (int) codes;
}

static void
know_codes(GroupTable *table, int codes)
{
	bool		known = true;

	for (int i = 0; i < table->keys; i++)
	{
		known &= table->by_code_of[i] == table->key[i].vector->dictionary->serial;
		table->by_code_of[i] = table->key[i].vector->dictionary->serial;
	}
	for (int i = 0; !known && i < codes; i++)
		table->by_code[i] = NO_GROUP;
}

static void
combine_codes(const GroupTable *table, int rows, uint32 *combined)
{
	memset(combined, 0, rows * sizeof(uint32));
	for (int k = 0; k < table->keys; k++)
	{
		const Vector *vector = table->key[k].vector;
		uint32		count = vector->dictionary->count;

		if (vector->nulls)
		{
			for (int i = 0; i < rows; i++)
				combined[i] = combined[i] * (count + 1) + (vector->nulls[i] ?
														   count : vector->codes[i]);
		}
		else
		{
			for (int i = 0; i < rows; i++)
				combined[i] = combined[i] * (count + 1) + vector->codes[i];
		}
	}
}

static void
find_by_codes(GroupTable *table, int rows, int codes)
{
	const Vector *first = table->key[0].vector;
	uint32		combined[VECTOR_ROWS];
	uint32		greatest = 0;

	know_codes(table, codes);
	if (table->keys == 1 && first->nulls == NULL)
	{
		for (int i = 0; i < rows; i++)
			combined[i] = first->codes[i];
	}
	else
		combine_codes(table, rows, combined);
	for (int i = 0; i < rows; i++)
	{
		table->groups[i] = table->by_code[combined[i]];
		greatest = Max(greatest, table->groups[i]);
	}
	for (int i = 0; greatest == NO_GROUP && i < rows; i++)
	{
		if (table->by_code[combined[i]] == NO_GROUP)
			table->by_code[combined[i]] = find_row(table, i);
		table->groups[i] = table->by_code[combined[i]];
	}
}

/* ---------------------------------------------------------------- by value */

/* Do the values fit into the table?  It begins around the first ones. */
static bool
in_range(GroupTable *table, int rows, const int64 *values)
{
	int64		least = PG_INT64_MAX;
	int64		most = PG_INT64_MIN;

	for (int i = 0; i < rows; i++)
	{
		least = Min(least, values[i]);
		most = Max(most, values[i]);
	}
	if (!table->has_first_value)
	{
		if (least < PG_INT64_MIN / 2 || most > PG_INT64_MAX / 2 || most - least > MAX_RANGE / 2)
			return false;
		table->first_value = least - MAX_RANGE / 4;
		table->has_first_value = true;
		for (int i = 0; i < MAX_RANGE; i++)
			table->by_value[i] = NO_GROUP;
	}
	return least >= table->first_value && most < PG_INT64_MAX / 2 &&
		most - table->first_value < MAX_RANGE;
}

static bool
find_by_value(GroupTable *table, int rows)
{
	const Vector *vector = table->key[0].vector;
	uint32	   *by_value = table->by_value;

	if (by_value == NULL || vector->nulls || vector->kind != VECTOR_INTEGER)
		return false;
	if (!in_range(table, rows, vector->integers))
	{
		table->by_value = NULL;
		return false;
	}
	for (int i = 0; i < rows; i++)
	{
		int64		place = vector->integers[i] - table->first_value;

		if (by_value[place] == NO_GROUP)
			by_value[place] = find_row(table, i);
		table->groups[i] = by_value[place];
	}
	return true;
}

/* the group of each selected row; NULL: all are in the only one */
const uint32 *
group_find(GroupTable *table, int rows)
{
	int			codes;

	if (table->keys == 0)
		return NULL;
	for (int i = 0; i < table->keys; i++)
	{
		GroupKey   *key = &table->key[i];

		key->vector = expression_values(key->expression);
		if (key->vector->kind == VECTOR_CODE)
			know_dictionary(table, key, key->vector->dictionary);
		else if (key->vector->kind == VECTOR_BYTES)
			intern_all(key->intern, rows, key->vector->bytes, key->vector->nulls, key->numbers);
	}
	codes = count_codes(table);
	if (codes > 0)
		find_by_codes(table, rows, codes);
	else if (!find_by_value(table, rows))
		find_by_hash(table, rows);
	return table->groups;
}

/* as the first row of the group has it; bytes are a copy in the current context */
Datum
group_key(const GroupTable *table, uint32 group, int key, bool *is_null)
{
	const ValueType *type = table->key[key].type;
	uint64		word = table->shown[(Size) group * table->keys + key];
	double		value;

	*is_null = (table->nulls[group] & ((uint32) 1 << key)) != 0;
	if (*is_null)
		return (Datum) 0;
	switch (type->class)
	{
		case VALUE_INTEGER:
			return value_from_integer(type, (int64) word);
		case VALUE_FLOAT:
			memcpy(&value, &word, sizeof(value));
			return value_from_float(type, value);
		default:
			return value_from_bytes(type, intern_get(table->key[key].intern, (uint32) word));
	}
}

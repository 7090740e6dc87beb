/*-------------------------------------------------------------------------
 *
 * vector_intern.c
 *		Numbers for distinct strings of bytes: 0, 1, 2, ... in order of appearance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "vector/vector_intern.h"

#define BLOCK (256 * 1024)		/* bytes of strings that are allocated together */

typedef struct InternSlot
{
	uint32		hash;
	uint32		number;			/* plus one; 0: free */
} InternSlot;

struct InternTable
{
	MemoryContext context;
	InternSlot *slots;
	uint64		mask;
	ByteView   *views;
	uint32		count;
	uint32		capacity;
	char	   *block;
	Size		left;
};

InternTable *
intern_make(MemoryContext context)
{
	InternTable *table = MemoryContextAllocZero(context, sizeof(InternTable));

	table->context = context;
	table->mask = 1023;
	table->slots = MemoryContextAllocZero(context, (table->mask + 1) * sizeof(InternSlot));
	table->capacity = 512;
	table->views = MemoryContextAlloc(context, table->capacity * sizeof(ByteView));
	return table;
}

uint32
intern_count(const InternTable *table)
{
	return table->count;
}

ByteView
intern_get(const InternTable *table, uint32 number)
{
	return table->views[number];
}

static uint32
hash_of(ByteView bytes)
{
	uint64		a = 0;
	uint64		b = 0;

	if (bytes.length > 16)
		return hash_bytes((const unsigned char *) bytes.data, bytes.length);
	if (bytes.length >= 8)
	{
		memcpy(&a, bytes.data, 8);
		memcpy(&b, bytes.data + bytes.length - 8, 8);
	}
	else
		memcpy(&a, bytes.data, bytes.length);
	return intern_mix(intern_mix(a) + b * UINT64CONST(0xC2B2AE3D27D4EB4F) + bytes.length) >> 32;
}

static const char *
copy(InternTable *table, ByteView bytes)
{
	char	   *place;

	if (bytes.length > table->left)
	{
		table->left = Max((Size) BLOCK, bytes.length);
		table->block = MemoryContextAllocHuge(table->context, table->left);
	}
	place = table->block;
	memcpy(place, bytes.data, bytes.length);
	table->block += bytes.length;
	table->left -= bytes.length;
	return place;
}

static void
grow(InternTable *table)
{
	InternSlot *old = table->slots;
	uint64		old_size = table->mask + 1;

	table->mask = old_size * 4 - 1;
	table->slots = MemoryContextAllocExtended(table->context,
											  (table->mask + 1) * sizeof(InternSlot),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < old_size; i++)
	{
		uint64		place = old[i].hash & table->mask;

		if (old[i].number == 0)
			continue;
		while (table->slots[place].number != 0)
			place = (place + 1) & table->mask;
		table->slots[place] = old[i];
	}
	pfree(old);
	table->capacity = (table->mask + 1) / 2;
	table->views = repalloc_huge(table->views, table->capacity * sizeof(ByteView));
}

static inline uint32
find(InternTable *table, ByteView bytes, uint32 hash)
{
	uint64		place = hash & table->mask;
	InternSlot *slot;

	for (slot = &table->slots[place]; slot->number != 0; slot = &table->slots[place])
	{
		ByteView	other;

		if (slot->hash == hash)
		{
			other = table->views[slot->number - 1];
			if (other.length == bytes.length && memcmp(other.data, bytes.data, bytes.length) == 0)
				return slot->number - 1;
		}
		place = (place + 1) & table->mask;
	}
	slot->hash = hash;
	slot->number = table->count + 1;
	table->views[table->count] = (ByteView) {copy(table, bytes), bytes.length};
	if (++table->count == table->capacity)
		grow(table);
	return table->count - 1;
}

uint32
intern_bytes(InternTable *table, ByteView bytes)
{
	return find(table, bytes, hash_of(bytes));
}

/* a null gets no number */
void
intern_all(InternTable *table, int count, const ByteView *bytes, const bool *nulls, uint32 *numbers)
{
	uint32		hashes[VECTOR_ROWS];

	for (int i = 0; i < count; i++)
	{
		if (nulls && nulls[i])
			continue;
		hashes[i] = hash_of(bytes[i]);
		__builtin_prefetch(&table->slots[hashes[i] & table->mask]);
	}
	for (int i = 0; i < count; i++)
	{
		if (nulls == NULL || !nulls[i])
			numbers[i] = find(table, bytes[i], hashes[i]);
	}
}

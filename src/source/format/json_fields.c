/*-------------------------------------------------------------------------
 *
 * json_fields.c
 *		The fields that a JSON reader's records have: names to indexes.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/bytes.h"
#include "source/format/json_fields.h"

#include <stdlib.h>
#include <unistd.h>

#define FIRST_CAPACITY	16

static uint32_t
hash_name(const JsonFields *fields, const char *name, size_t length)
{
	uint64_t	hash = fields->seed ^ length;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) name[i]) * UINT64_C(0x100000001b3);
	return (uint32_t) (hash ^ hash >> 32);
}

static void
insert_slot(JsonFields *fields, int index)
{
	uint32_t	slot = fields->field[index].hash & fields->slot_mask;

	while (fields->slots[slot] >= 0)
		slot = (slot + 1) & fields->slot_mask;
	fields->slots[slot] = index;
}

/* the hash table has twice as many slots as there can be fields */
static bool
set_capacity(JsonFields *fields, int capacity)
{
	size_t		n_slots = (size_t) capacity * 2;
	JsonField  *field = realloc(fields->field, (size_t) capacity * sizeof(JsonField));
	int		   *next;
	int		   *slots;

	if (field == NULL)
		return false;
	fields->field = field;
	next = realloc(fields->next, ((size_t) capacity + 1) * sizeof(int));
	if (next == NULL)
		return false;
	fields->next = next;
	slots = realloc(fields->slots, n_slots * sizeof(int));
	if (slots == NULL)
		return false;
	fields->slots = slots;
	fields->slot_mask = (uint32_t) n_slots - 1;
	fields->capacity = capacity;
	for (size_t i = 0; i < n_slots; i++)
		slots[i] = -1;
	for (int i = 0; i < fields->count; i++)
		insert_slot(fields, i);
	return true;
}

bool
json_fields_init(JsonFields *fields)
{
	memset(fields, 0, sizeof(*fields));
	if (getentropy(&fields->seed, sizeof(fields->seed)) != 0)
		fields->seed = UINT64_C(0xcbf29ce484222325);
	if (!set_capacity(fields, FIRST_CAPACITY))
		return false;
	fields->next[0] = -1;
	return true;
}

void
json_fields_free(JsonFields *fields)
{
	for (int i = 0; i < fields->count; i++)
		free(fields->field[i].key);
	free(fields->field);
	free(fields->next);
	free(fields->slots);
}

/* the scanner decides whether the name can stand in a document as it is */
static void
set_key(JsonField *field, char *key)
{
	size_t		tail = field->length % sizeof(uint64_t) + 1;
	JsonScan	scan;
	JsonValue	value;

	scan.end = key + field->length + 1;
	key[field->length] = '"';
	if (json_scan_string(&scan, key, &value) == scan.end && !value.escaped)
	{
		field->words = (int) (field->length / sizeof(uint64_t));
		field->mask = 0;
		memset(&field->mask, 0xFF, tail);
	}
	else
		field->words = -1;
}

int
json_fields_add(JsonFields *fields, const char *name, size_t length)
{
	/* one piece of memory: the key with its padding, then the name */
	size_t		key_size = (length / sizeof(uint64_t) + 1) * sizeof(uint64_t) + BYTES_PADDING;
	int			index = fields->count;
	JsonField  *field;
	char	   *memory;

	if (index == fields->capacity && !set_capacity(fields, fields->capacity * 2))
		return -1;
	if ((memory = calloc(1, key_size + length + 1)) == NULL)
		return -1;
	memcpy(memory, name, length);
	memcpy(memory + key_size, name, length);

	field = &fields->field[index];
	field->key = (uint64_t *) (void *) memory;
	field->name = memory + key_size;
	field->length = length;
	field->hash = hash_name(fields, name, length);
	set_key(field, memory);

	/* until a record says otherwise, fields come in the order of their addition */
	fields->next[index] = index;
	fields->next[index + 1] = -1;
	insert_slot(fields, index);
	fields->count++;
	return index;
}

int
json_fields_find(const JsonFields *fields, const char *name, size_t length)
{
	uint32_t	hash = hash_name(fields, name, length);
	uint32_t	slot = hash & fields->slot_mask;
	int			index;

	for (; (index = fields->slots[slot]) >= 0; slot = (slot + 1) & fields->slot_mask)
	{
		const JsonField *field = &fields->field[index];

		if (field->hash == hash && field->length == length &&
			memcmp(field->name, name, length) == 0)
			return index;
	}
	return -1;
}

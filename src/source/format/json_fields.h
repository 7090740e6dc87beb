/*-------------------------------------------------------------------------
 *
 * json_fields.h
 *		The fields that a JSON reader's records have: names to indexes.
 *
 * Private to the JSON reader.  Records of one source nearly always have the
 * same keys in the same order, so each field remembers which field followed
 * it last time, and the key at hand is first compared with that one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_FIELDS_H
#define SPICE_JSON_FIELDS_H

#include "source/format/json_scan.h"

#include <string.h>

typedef struct JsonField
{
	/*
	 * The name as a document has it, with the closing quote, in whole words: the last one is
	 * compared under a mask.  words -1: it cannot stand in a document without escapes, and is
	 * never compared like this.
	 */
	uint64_t   *key;
	int			words;
	uint64_t	mask;

	char	   *name;			/* plain, NUL-terminated */
	size_t		length;
	uint32_t	hash;
} JsonField;

typedef struct JsonFields
{
	JsonField  *field;
	int			count;
	int			capacity;
	int		   *next;			/* by 1 + field, 0: which came first; -1: none */
	int		   *slots;			/* hash table of field indexes, -1: empty */
	uint32_t	slot_mask;
	uint64_t	seed;			/* of the hashes, so that a source cannot choose names of one hash */
} JsonFields;

extern bool json_fields_init(JsonFields *fields);
extern void json_fields_free(JsonFields *fields);

/* index of the new field, -1: out of memory */
extern int	json_fields_add(JsonFields *fields, const char *name, size_t length);

/* index of the field, -1: none has this name */
extern int	json_fields_find(const JsonFields *fields, const char *name, size_t length);

/*
 * Does p, behind an opening quote, hold this field's key?  May read into the
 * window's padding, but not beyond: no key has a NUL, so the word in which
 * the window ends differs.
 */
static inline bool
json_field_matches(const JsonField *field, const char *p)
{
	uint64_t	word;

	for (int i = 0; i < field->words; i++)
	{
		memcpy(&word, p, sizeof(word));
		if (word != field->key[i])
			return false;
		p += sizeof(word);
	}
	memcpy(&word, p, sizeof(word));
	return field->words >= 0 && (word & field->mask) == field->key[field->words];
}

#endif

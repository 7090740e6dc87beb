/*-------------------------------------------------------------------------
 *
 * definition.h
 *		A dataset's definition: what the catalog keeps of an entry of the manifest.
 *
 * keys.def lists the keys of a definition.  The parser fills a Definition and
 * prints it as JSON; the catalog reads that JSON, by the same rows, into the
 * fields of Dataset.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DEFINITION_H
#define SPICE_DEFINITION_H

#include <stdint.h>

#include "manifest/keys.h"

/* the field of a key, by its kind */
#define KEY_FIELD_STRING(name)		name
#define KEY_FIELD_TEXT(name)		name
#define KEY_FIELD_BOOLEAN(name)		name
#define KEY_FIELD_COUNT(name)		name
#define KEY_FIELD_DURATION(name)	name##_ms
#define KEY_FIELD_TIMEOUT(name)		name##_ms
#define KEY_FIELD_PORT(name)		name
#define KEY_FIELD_SHARE(name)		name

#define KEY_TYPE_STRING		char *
#define KEY_TYPE_TEXT		char *
#define KEY_TYPE_BOOLEAN	bool
#define KEY_TYPE_COUNT		int
#define KEY_TYPE_DURATION	int64_t
#define KEY_TYPE_TIMEOUT	int
#define KEY_TYPE_PORT		int
#define KEY_TYPE_SHARE		double

#define KEY_DECLARE(name, kind) KEY_TYPE_##kind KEY_FIELD_##kind(name);

typedef struct Definition
{
#define FIELD(name, kind, part, ...)	KEY_DECLARE(name, kind)
#define DERIVED(name, kind, part, ...)	KEY_DECLARE(name, kind)
#include "manifest/keys.def"
} Definition;

/* every key of a definition; those with "param" stand in its object "params" */
extern const KeyInfo definition_keys[];
extern const int definition_n_keys;

/* every field as it is when its key is not set */
extern void definition_clear(Definition *definition);

#endif

/*-------------------------------------------------------------------------
 *
 * definition.c
 *		Every key of a definition, from keys.def.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/definition.h"

#include <string.h>

#define NAME_OF(field)			#field
#define NAME_OF_FIELD(field)	NAME_OF(field)

const KeyInfo definition_keys[] = {
#define FIELD(key, key_kind, part, ...) \
	{.name = NAME_OF_FIELD(KEY_FIELD_##key_kind(key)), .kind = KEY_##key_kind, \
		.parts = KEY_##part, .field = offsetof(Definition, KEY_FIELD_##key_kind(key)), __VA_ARGS__},
#define DERIVED(key, key_kind, part, ...) FIELD(key, key_kind, part, __VA_ARGS__)
#define LISTS(key, key_kind, part, ...) \
	{.name = #key, .kind = KEY_##key_kind, .parts = KEY_##part, .field = -1},
#define PARAM(key, key_kind, part, ...) \
	{.name = #key, .kind = KEY_##key_kind, .parts = KEY_##part, .field = -1, .param = true},
#include "manifest/keys.def"
};

const int	definition_n_keys = sizeof(definition_keys) / sizeof(definition_keys[0]);

void
definition_clear(Definition *definition)
{
	memset(definition, 0, sizeof(*definition));
	for (int i = 0; i < definition_n_keys; i++)
	{
		const KeyInfo *key = &definition_keys[i];
		void	   *field = (char *) definition + key->field;

		if (key->field < 0)
			continue;
		if (key->kind == KEY_COUNT)
			*(int *) field = -1;
		if (key->kind == KEY_SHARE)
			*(double *) field = 1;
	}
}

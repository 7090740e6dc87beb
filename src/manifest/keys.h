/*-------------------------------------------------------------------------
 *
 * keys.h
 *		Every key and param that a manifest may hold, and what becomes of it.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_KEYS_H
#define SPICE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum KeyKind
{
	KEY_ANY,					/* looked at elsewhere, or not at all */
	KEY_STRING,					/* with KeyInfo.values: one of these */
	KEY_TEXT,					/* any scalar, taken as it is written */
	KEY_BOOLEAN,
	KEY_COUNT,					/* 0 to 2147483647 */
	KEY_DURATION,
	KEY_MAPPING,
	KEY_LIST
} KeyKind;

typedef enum KeyStatus
{
	KEY_SUPPORTED,
	KEY_UNSUPPORTED				/* the original runtime has it: a warning */
} KeyStatus;

typedef struct KeyInfo
{
	const char *name;			/* a trailing * stands for any rest */
	KeyKind		kind;
	KeyStatus	status;
	const char *values;			/* "full|append", or NULL */
	const char *harmless;		/* unsupported, yet this value is what happens */
	const char *hint;			/* for the warning, or NULL */
} KeyInfo;

typedef struct KeyTable
{
	const char *place;			/* as messages name it: "acceleration" */
	const KeyInfo *keys;
	size_t		count;
	const char *connector;		/* whose params these are, or NULL */
	const char *prefix;			/* of those that say where and as whom */
} KeyTable;

extern const KeyTable keys_of_manifest;
extern const KeyTable keys_of_dataset;
extern const KeyTable keys_of_acceleration;
extern const KeyTable keys_of_column;
extern const KeyTable keys_of_secret;
extern const KeyTable params_of_http;
extern const KeyTable params_of_postgres;
extern const KeyTable params_of_mysql;
extern const KeyTable params_of_table;
extern const KeyTable params_of_acceleration;

extern const KeyInfo *key_find(const KeyTable *table, const char *name);

/* the key whose name is nearest to name, or NULL when none is near */
extern const char *key_nearest(const KeyTable *table, const char *name);

/* the place where name would be valid, or NULL */
extern const char *key_home(const char *name);

/* http_username for username, client_timeout for http_client_timeout; or NULL */
extern const char *param_with_right_prefix(const KeyTable *table, const char *name);

/* the connector that a param such as pg_pass or json_pointer belongs to, or NULL */
extern const char *param_connector(const char *name);

/* is it a connector of the original runtime? */
extern bool connector_is_known(const char *name, size_t length);

/* is value one of the words of list, which | separates? */
extern bool word_in_list(const char *list, const char *value);

#endif

/*-------------------------------------------------------------------------
 *
 * keys.h
 *		The tables of keys, as keys.def writes them.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_KEYS_H
#define SPICE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* A KEY_TEXT may be any scalar; of the other scalars each is checked. */
typedef enum KeyKind
{
	KEY_ANY,					/* looked at elsewhere, or not at all */
	KEY_STRING,					/* a number or a boolean needs quotes */
	KEY_NAMES,					/* the same, or a list */
	KEY_TEXT,					/* taken as written */
	KEY_BOOLEAN,
	KEY_COUNT,					/* 0 to 2147483647; -1: not set */
	KEY_DURATION,				/* in milliseconds, more than 0; 0: not set */
	KEY_TIMEOUT,				/* the same, cut to what an int holds */
	KEY_PORT,					/* 1 to 65535; 0: not set */
	KEY_SHARE,					/* 50% or 0.5; 1: not set */
	KEY_MAPPING,
	KEY_LIST
} KeyKind;

/* What a change of a value means; a set of bits. */
typedef enum KeyParts
{
	KEY_SCHEDULE = 0,			/* when a refresh comes; or a comment changes */
	KEY_REFRESH = 1,			/* a refresh asks for something else, or does it otherwise */
	KEY_TABLE = 2,				/* the table is made in another way */
	KEY_ROWS = 4,				/* the table has to hold other rows */
	KEY_SOURCE = 8				/* the source may have other columns and rows */
} KeyParts;

typedef struct KeyInfo
{
	const char *name;			/* a trailing * stands for any rest */
	KeyKind		kind;
	KeyParts	parts;
	int			field;			/* offset in Definition; -1: has none */
	bool		param;			/* kept as written */
	bool		ignored;		/* by us; the original runtime has it */
	bool		needed;			/* a definition without it is not one of ours */
	bool		zero;			/* a duration that may be 0 */
	bool		reference;		/* the value may be a reference to a secret */
	bool		null_word;		/* null, also without quotes, is one of its values */
	bool		needs_time_column;
	const char *needs_mode;		/* the refresh_mode without which it is refused */
	const char *not_in_changes; /* refused in refresh_mode changes: the hint */
	const char *otherwise;		/* the default, as a manifest would write it */
	const char *values;			/* "full|append": one of these */
	const char *harmless;		/* ignored, yet this value is what happens */
	const char *secret;			/* advise a secret store if the value has this word */
	const char *hint;			/* for the warning that it is ignored */
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
extern const KeyTable keys_of_http;
extern const KeyTable keys_of_file_source;
extern const KeyTable keys_of_s3;
extern const KeyTable keys_of_postgres;
extern const KeyTable keys_of_mysql;
extern const KeyTable keys_of_table;
extern const KeyTable keys_of_acceleration_params;
extern const KeyTable keys_of_env;
extern const KeyTable keys_of_file;

extern const KeyInfo *keys_find(const KeyTable *table, const char *name);

/* the key whose name is nearest to name, or NULL when none is near */
extern const char *keys_nearest(const KeyTable *table, const char *name);

/* the place where name would be valid, or NULL */
extern const char *keys_home(const char *name);

/* http_username for username, client_timeout for http_client_timeout; or NULL */
extern const char *keys_with_right_prefix(const KeyTable *table, const char *name);

/* the connector that a param such as pg_pass or json_pointer belongs to, or NULL */
extern const char *keys_connector(const char *name);

/* whether the original runtime has a connector of this name */
extern bool keys_know_connector(const char *name, size_t length);

/* whether value is one of the words of list, which | separates */
extern bool keys_value_in(const char *list, const char *value);

/* The word of list that value is in another case, of *length bytes, or NULL. */
extern const char *keys_value_spelled(const char *list, const char *value, size_t *length);

#endif

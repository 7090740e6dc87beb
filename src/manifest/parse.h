/*-------------------------------------------------------------------------
 *
 * parse.h
 *		What the files that validate a manifest share.
 *
 * Includes no server header.  Only files of this folder include it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARSE_H
#define SPICE_PARSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "document.h"
#include "keys.h"
#include "manifest.h"

typedef struct Parser
{
	Arena	   *arena;
	Manifest   *manifest;
	size_t		problems_capacity;
	const char *dataset;		/* being validated, or NULL */
	bool		failed;			/* it has an error, shown or not */
	json_t	   *json;			/* being built; freed by whoever ends the parser */
} Parser;

/* Columns of one index or key. */
typedef struct ColumnList
{
	const char **names;
	size_t		count;
	size_t		capacity;
} ColumnList;

typedef struct IndexSpec
{
	ColumnList	columns;
	bool		unique;
} IndexSpec;

typedef struct ColumnSpec
{
	const char *name;
	const char *type;
	bool		nullable;
	const char *description;
} ColumnSpec;

typedef struct ConnectionSpec
{
	const char *from;
	const char *username;
	const char *password;
	const char *headers;
	int			port;			/* -1: by scheme */
	int64_t		client_timeout_ms;
	int64_t		connect_timeout_ms;
	const char *format;
	const char *json_pointer;
} ConnectionSpec;

typedef struct AccelerationSpec
{
	bool		accelerated;
	const char *engine;
	const char *mode;
	const char *refresh_mode;
	const char *refresh_sql;
	int			refresh_sql_line;
	int64_t		refresh_interval_ms;	/* -1: load once */
	bool		retry_enabled;
	int64_t		retry_max_attempts; /* -1: no limit */
	const char *refresh_on_startup;
	const char *ready_state;	/* NULL: the dataset's own counts */
	IndexSpec  *indexes;
	size_t		n_indexes;
	size_t		indexes_capacity;
	ColumnList	primary_key;
} AccelerationSpec;

typedef struct DatasetSpec
{
	const char *description;
	const char *time_column;
	const char *time_format;
	const char *ready_state;
	ColumnSpec *columns;
	size_t		n_columns;
	size_t		columns_capacity;
	ConnectionSpec connection;
	AccelerationSpec acceleration;
} DatasetSpec;

/* check.c: problems, and values checked against the tables of keys.h */
extern void parse_problem(Parser *parser, ManifestSeverity severity, int line,
						  const char *hint, const char *format,...)
			__attribute__((format(printf, 5, 6)));
extern void check_mapping(Parser *parser, const KeyTable *table,
						  const DocNode *mapping);
extern const DocNode *valid_value(const KeyTable *table, const DocNode *mapping,
								  const char *key);
extern const char *valid_text(const KeyTable *table, const DocNode *mapping,
							  const char *key, const char *otherwise);
extern bool valid_boolean(const KeyTable *table, const DocNode *mapping,
						  const char *key, bool otherwise);
extern int64_t valid_count(const KeyTable *table, const DocNode *mapping,
						   const char *key, int64_t otherwise);
extern int64_t valid_duration(const KeyTable *table, const DocNode *mapping,
							  const char *key, int64_t otherwise);
extern void require_positive(Parser *parser, const DocNode *mapping,
							 const char *key, int64_t milliseconds);

/* names.c: names of datasets, tables and columns */
extern bool table_name_parse(Parser *parser, const char *name, int line,
							 char **schema, char **table);
extern void column_name_check(Parser *parser, const char *name, int line);
extern void column_list_parse(Parser *parser, const char *setting,
							  const DocNode *node, ColumnList *list);

/* connection.c, acceleration.c */
extern void connection_parse(Parser *parser, const DocNode *dataset,
							 ConnectionSpec *spec);
extern void acceleration_parse(Parser *parser, const DocNode *dataset,
							   AccelerationSpec *spec);

/* dataset.c: fills what follows from an entry whose name is set already */
extern void dataset_parse(Parser *parser, const DocNode *entry,
						  ManifestDataset *dataset);
extern void refuse_ref(Parser *parser, const DocNode *ref);

/* stores.c: the list of secret stores as JSON text */
extern char *stores_parse(Parser *parser, const DocNode *root);

/* definition.c: JSON, leaving by the arena's escape when out of memory */
extern char *definition_print(Parser *parser, const ManifestDataset *dataset,
							  const DatasetSpec *spec);
extern json_t *json_begin(Parser *parser, json_t *root);
extern void json_put(Parser *parser, json_t *object, const char *key, json_t *value);
extern void json_put_text(Parser *parser, json_t *object, const char *key,
						  const char *text);
extern void json_put_number(Parser *parser, json_t *object, const char *key,
							int64_t number);
extern json_t *json_put_list(Parser *parser, json_t *object, const char *key);
extern json_t *json_add_object(Parser *parser, json_t *list);
extern char *json_finish(Parser *parser);

#endif

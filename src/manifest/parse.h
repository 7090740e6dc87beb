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

#include "manifest/arena.h"
#include "manifest/document.h"
#include "manifest/keys.h"
#include "manifest/manifest.h"

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

/* Nothing of it is set unless the format is csv or tsv. */
typedef struct CsvSpec
{
	bool		used;
	bool		header;
	char		delimiter;
	char		quote;
	char		escape;
} CsvSpec;

/* A param that goes into the definition as it is written. */
typedef struct ParamSpec
{
	const char *name;
	const char *value;			/* or NULL */
	bool		place;			/* another value means other rows */
} ParamSpec;

#define MAX_PARAMS	10

typedef struct ConnectionSpec
{
	const char *connector;
	const char *from;
	const char *remote_schema;	/* of a database; or NULL */
	const char *remote_table;	/* the same */
	ParamSpec	params[MAX_PARAMS];
	int			n_params;
	const char *headers;
	int			port;			/* -1: by scheme */
	int64_t		client_timeout_ms;	/* -1: none */
	int64_t		connect_timeout_ms;
	const char *format;
	const char *json_pointer;
	CsvSpec		csv;
} ConnectionSpec;

typedef struct ConflictSpec
{
	const ColumnList *columns;	/* of the key that the target means */
	const char *action;
} ConflictSpec;

/* Nothing of it is set unless retention is enabled. */
typedef struct RetentionSpec
{
	int64_t		period_ms;		/* -1: not by age */
	const char *sql;
	int			sql_line;
	int64_t		check_interval_ms;	/* -1: by cron */
	const char *cron;
} RetentionSpec;

typedef struct AccelerationSpec
{
	bool		has_time_column;
	bool		accelerated;
	const char *engine;
	const char *mode;
	const char *refresh_mode;	/* NULL: refused */
	const char *refresh_method; /* NULL: whichever fits */
	bool		follows;		/* it is changes */
	const char *refresh_sql;
	int			refresh_sql_line;
	int64_t		refresh_interval_ms;	/* -1: load once, or by cron */
	const char *refresh_cron;
	int64_t		jitter_max_ms;	/* -1: none */
	int64_t		data_window_ms; /* -1: all rows */
	int64_t		append_overlap_ms;	/* -1: none */
	const char *append_query;
	int64_t		min_rows;		/* -1: any number */
	double		max_shrink;		/* -1: any */
	bool		retry_enabled;
	int64_t		retry_max_attempts; /* -1: no limit */
	const char *refresh_on_startup;
	const char *ready_state;	/* NULL: the dataset's own counts */
	IndexSpec  *indexes;
	size_t		n_indexes;
	size_t		indexes_capacity;
	ColumnList	primary_key;
	bool		keys_valid;		/* these two, as far as they are there */
	ConflictSpec *conflicts;
	size_t		n_conflicts;
	size_t		conflicts_capacity;
	RetentionSpec retention;
} AccelerationSpec;

typedef struct DatasetSpec
{
	const char *description;
	const char *time_column;
	const char *time_format;
	const char *ready_state;
	const char *on_schema_change;
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
extern const DocNode *given_value(const DocNode *mapping, const char *key);
extern int	key_line(const DocNode *mapping, const char *key);
extern bool scalar_is_false(const DocNode *node);
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
extern const char *valid_statement(Parser *parser, const DocNode *block,
								   const char *key, const char *verb, int *line);
extern void require_positive(Parser *parser, const DocNode *mapping,
							 const char *key, int64_t milliseconds);
extern void require_mode(Parser *parser, const AccelerationSpec *spec,
						 const char *mode, const char *setting, int line);
extern void require_time_column(Parser *parser, AccelerationSpec *spec,
								const char *setting, int line);

/* names.c: names of datasets, tables and columns */
extern bool table_name_parse(Parser *parser, const char *name, int line,
							 char **schema, char **table);
extern void column_name_check(Parser *parser, const char *name, int line);
extern bool column_list_parse(Parser *parser, const char *setting,
							  const DocNode *node, ColumnList *list);

/* connection.c */
extern void connection_parse(Parser *parser, const DocNode *dataset,
							 ConnectionSpec *spec);
extern void connection_add(ConnectionSpec *spec, const char *name, const char *value,
						   bool place);
extern int	port_parse(Parser *parser, const KeyTable *table, const DocNode *params,
					   const char *name);
extern void timeouts_parse(Parser *parser, const KeyTable *table, const DocNode *params,
						   int64_t client_timeout_ms, ConnectionSpec *spec);
extern void advise_secret(Parser *parser, const KeyTable *table, const DocNode *params,
						  const char *name);

extern bool mentions(const char *text, const char *word);

/* database.c: false when "from" is of another kind */
extern bool database_parse(Parser *parser, const DocNode *from, const DocNode *params,
						   ConnectionSpec *spec);

/* acceleration.c */
extern void acceleration_parse(Parser *parser, const DocNode *dataset,
							   AccelerationSpec *spec);

/* csv.c */
extern void csv_parse(Parser *parser, const DocNode *params, const char *format,
					  CsvSpec *spec);

/* the parts of acceleration.c that are concerns of their own */
extern void schedule_parse(Parser *parser, const DocNode *block, AccelerationSpec *spec);
extern void append_parse(Parser *parser, const DocNode *block,
						 const DocNode *params, AccelerationSpec *spec);
extern void retention_parse(Parser *parser, const DocNode *block, AccelerationSpec *spec);

/* changes.c: what else refresh_mode changes asks of a dataset, and refuses */
extern void changes_parse(Parser *parser, const DocNode *entry,
						  const ManifestDataset *dataset, DatasetSpec *spec);

/* cron.c */
extern const char *cron_parse(Parser *parser, const char *setting, const DocNode *node);

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

/*-------------------------------------------------------------------------
 *
 * spec.h
 *		One dataset while its entry is parsed.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SPEC_H
#define SPICE_SPEC_H

#include "manifest/definition.h"
#include "manifest/document.h"
#include "manifest/names.h"
#include "manifest/parse.h"

typedef struct IndexSpec
{
	ColumnList	columns;
	bool		unique;
} IndexSpec;

typedef struct ColumnSpec
{
	const char *name;
	const char *source;
	int			position;		/* that source stands for; 0: it is a name */
	const char *type;
	const char *format;
	bool		nullable;
	const char *description;
} ColumnSpec;

typedef struct ConflictSpec
{
	const ColumnList *columns;	/* of the key that the target means */
	const char *action;
} ConflictSpec;

typedef struct DatasetSpec
{
	/* the blocks of the entry; a mapping without keys stands for a missing one */
	const DocNode *entry;
	const DocNode *params;
	const DocNode *acceleration;
	const DocNode *acceleration_params;

	const KeyTable *params_table;	/* of the connector; NULL: none is known */
	Definition	definition;
	ColumnSpec *columns;
	size_t		n_columns;
	size_t		columns_capacity;
	IndexSpec  *indexes;
	size_t		n_indexes;
	size_t		indexes_capacity;
	ColumnList	primary_key;
	ConflictSpec *conflicts;
	size_t		n_conflicts;
	size_t		conflicts_capacity;
	bool		keys_valid;		/* indexes and primary_key, as far as they are there */
	bool		time_column_told;	/* that it is missing has been reported */
	int			refresh_sql_line;
	int			retention_sql_line;
} DatasetSpec;

/* Begins a dataset: finds its blocks, every field is unset. */
extern void spec_begin(DatasetSpec *spec, const DocNode *entry);

/* whether refresh_mode is mode; false for a mode that has been refused itself */
extern bool spec_has_mode(const DatasetSpec *spec, const char *mode);
extern bool spec_has_connector(const DatasetSpec *spec, const char *connector);

/* Reports that a setting needs time_column, once for a dataset. */
extern void spec_require_time_column(Parser *parser, DatasetSpec *spec,
									 const char *setting, int line);

/* Refuses a setting that works in one refresh_mode alone. */
extern void spec_require_mode(Parser *parser, const DatasetSpec *spec, const char *mode,
							  const char *setting, int line);

/* Refuses what stands in a block without what its row of keys.def needs. */
extern void spec_require_needs(Parser *parser, DatasetSpec *spec, const KeyTable *table,
							   const DocNode *mapping);

/*
 * Checks a statement that the server's own parser reads later, and finds the
 * line of its first byte.  NULL when there is none.
 */
extern char *spec_statement(Parser *parser, const DatasetSpec *spec, const char *key,
							const char *verb, int *line);

#endif

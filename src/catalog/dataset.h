/*-------------------------------------------------------------------------
 *
 * dataset.h
 *		One dataset as the catalog has it: its definition and its state.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DATASET_H
#define SPICE_DATASET_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "compat.h"

#define SPICE_SCHEMA		"spice"
#define SPICE_SOURCE_SCHEMA	"spice_source"
#define SPICE_SERVER		"spice"

typedef struct DatasetColumn
{
	char	   *name;
	char	   *type;			/* NULL: inferred */
	bool		nullable;
	char	   *description;	/* or NULL */
} DatasetColumn;

typedef struct DatasetIndex
{
	List	   *columns;		/* of char * */
	bool		unique;
	bool		primary;
} DatasetIndex;

/* a param of a database, as written: secrets by reference */
typedef struct DatasetParam
{
	char	   *name;
	char	   *value;
} DatasetParam;

typedef enum ConflictAction
{
	CONFLICT_DROP,				/* the row that is there stays */
	CONFLICT_UPSERT,			/* the newest by time_column, then by position, wins */
	CONFLICT_UPSERT_LAST		/* the last by position wins */
} ConflictAction;

typedef struct DatasetConflict
{
	List	   *columns;		/* of char * */
	ConflictAction action;
} DatasetConflict;

/* what happens to fields of the source that have no column, and the reverse */
typedef enum SchemaChange
{
	SCHEMA_BLOCK,				/* the columns stay, the field is counted and shown */
	SCHEMA_FAIL,
	SCHEMA_APPEND,				/* new fields become columns */
	SCHEMA_SYNC					/* and columns without a field go, types follow */
} SchemaChange;

/* how a whole new version of the rows gets into the table */
typedef enum RefreshMethod
{
	METHOD_FITTING,				/* a merge if the table is published, else a swap */
	METHOD_SWAP,
	METHOD_MERGE
} RefreshMethod;

typedef struct Dataset
{
	int			id;
	char	   *name;			/* as the manifest writes it */
	char	   *schema;
	char	   *table;
	bool		in_manifest;
	bool		paused;

	/* definition */
	char	   *definition;		/* jsonb as text */
	bool		changed;		/* the table is not the one it describes ... */
	bool		reload;			/* ... and its rows are not, either */
	bool		described;		/* the table was loaded with this very definition */
	bool		evolving;		/* this refresh changes the columns, the source having done so */
	bool		source_changed; /* it is not the one the source's columns came from */
	bool		accelerated;
	char	   *connector;
	char	   *from;
	char	   *remote_schema;	/* of a database; or NULL */
	char	   *remote_table;
	List	   *params;			/* of DatasetParam * */
	char	   *description;
	char	   *username;		/* these three as written: secrets by reference */
	char	   *password;
	char	   *http_headers;
	int			http_port;		/* 0: the URL's */
	int			client_timeout_ms;	/* 0: none */
	int			connect_timeout_ms;
	char	   *format;
	char	   *json_pointer;
	bool		csv_header;		/* the first line names the fields */
	char	   *csv_delimiter;	/* one byte each; NULL: the response is JSON */
	char	   *csv_quote;
	char	   *csv_escape;
	bool		unlogged;		/* mode: memory */
	char	   *refresh_mode;
	bool		append;			/* refresh_mode: append */
	RefreshMethod refresh_method;
	bool		follows;		/* refresh_mode: changes */
	char	   *refresh_sql;	/* NULL: all of the source */
	char	   *time_column;	/* or NULL */
	char	   *time_format;	/* or NULL: whatever the column's type says */
	int64		append_overlap_ms;
	int64		data_window_ms; /* 0: none */
	char	   *append_query;	/* with {watermark}; or NULL */
	SchemaChange on_schema_change;
	int64		min_rows;		/* -1: any number */
	double		max_shrink;		/* fraction of the rows; 1: all of them */
	int64		jitter_ms;		/* 0: none */
	int64		retention_period_ms;	/* 0: none */
	char	   *retention_sql;	/* or NULL */
	int64		retention_interval_ms;	/* 0: not by the clock */
	int64		refresh_interval_ms;	/* 0: load once */
	bool		retry;
	int			retry_max_attempts; /* -1: unlimited */
	bool		on_registration;	/* ready_state: answers before the first load */
	List	   *columns;		/* of DatasetColumn * */
	List	   *indexes;		/* of DatasetIndex *, the primary key among them */
	List	   *applied_columns;	/* those of the definition the table has */
	List	   *applied_indexes;
	List	   *conflicts;		/* of DatasetConflict * */

	/* state */
	bool		moved;			/* in a database that was restored or copied, and not loaded since */
	Oid			relation;		/* InvalidOid, also when it has been dropped */
	Oid			source_relation;
	bool		loaded;
	int64		rows;
	char	   *etag;
	char	   *last_modified;
	bytea	   *digest;
	char	   *fetched_query;	/* append_query as it was when the validators came */
	int			attempt;		/* failures in the series of retries under way */
	bool		troubled;		/* the refreshes before had something to say */
	bool		has_slot;		/* on a source, of this or an earlier definition */

	/* how secrets are resolved */
	char	   *secrets;		/* JSON, or NULL */
	char	   *manifest_path;	/* or NULL */
} Dataset;

/* is it in the list (of char *)? */
extern bool catalog_names_have(List *names, const char *name);

/* the value of a param as the manifest has it, or NULL */
extern char *catalog_param(const Dataset *dataset, const char *name);

#endif

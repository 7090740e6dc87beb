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
#include "manifest/definition.h"

#define SPICE_SCHEMA		"spice"
#define SPICE_SOURCE_SCHEMA	"spice_source"
#define SPICE_SERVER		"spice"

typedef struct DatasetColumn
{
	char	   *name;
	char	   *source;			/* the field that it holds; NULL: that of its name */
	int			position;		/* in the lines of CSV, from 1, that source stands for, or 0 */
	char	   *type;			/* NULL: inferred */
	char	   *format;			/* of its texts, as to_timestamp() takes it, or NULL */
	bool		nullable;
	char	   *description;	/* or NULL */
} DatasetColumn;

typedef struct DatasetIndex
{
	List	   *columns;		/* of char * */
	bool		unique;
	bool		primary;
} DatasetIndex;

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
	bool		in_manifest;
	bool		paused;

	/* the keys of the definition that keys.def lists */
	union
	{
		Definition	keys;
		struct
		{
#define FIELD(name, kind, part, ...)	KEY_DECLARE(name, kind)
#define DERIVED(name, kind, part, ...)	KEY_DECLARE(name, kind)
#include "manifest/keys.def"
		};
	};

	/* the definition */
	char	   *definition;		/* jsonb as text */
	struct JsonbContainer *params;	/* as written: secrets by reference */
	bool		changed;		/* the table is not the one it describes ... */
	bool		reload;			/* ... and its rows are not, either */
	bool		described;		/* the table was loaded with this very definition */
	bool		same_rows;		/* ... or with one that says the same but for schedule and
								 * comments */
	bool		evolving;		/* this refresh changes the columns, the source having done so */
	bool		source_changed; /* it is not the one the source's columns came from */
	char	   *renamed;		/* this refresh has made columns whose fields have other names:
								 * the notice, or NULL */
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
	bytea	   *request;		/* identity of the request that they came with, or NULL */
	bytea	   *digest;
	char	   *watermark;		/* the newest time when the table was loaded, or NULL */
	char	   *fetched_query;	/* append_query as it was when the validators came */
	int			attempt;		/* failures in the series of retries under way */
	bool		troubled;		/* the refreshes before had something to say */
	bool		has_slot;		/* on a source, of this or an earlier definition */

	/* how secrets are resolved */
	char	   *secrets;		/* JSON, or NULL */
	char	   *manifest_path;	/* or NULL */
} Dataset;

static inline bool
dataset_appends(const Dataset *dataset)
{
	return strcmp(dataset->refresh_mode, "append") == 0;
}

/* whether the table follows its source by logical replication */
static inline bool
dataset_follows(const Dataset *dataset)
{
	return strcmp(dataset->refresh_mode, "changes") == 0;
}

static inline bool
dataset_is_unlogged(const Dataset *dataset)
{
	return strcmp(dataset->mode, "memory") == 0;
}

/* whether the responses are Parquet by the definition, whose parts are read where they are */
static inline bool
dataset_is_parquet(const Dataset *dataset)
{
	return strcmp(dataset->format, "parquet") == 0;
}

/* whether the table answers before the first load */
static inline bool
dataset_answers_early(const Dataset *dataset)
{
	return strcmp(dataset->ready_state, "on_load") != 0;
}

extern SchemaChange dataset_schema_change(const Dataset *dataset);
extern RefreshMethod dataset_refresh_method(const Dataset *dataset);

/* the manifest's column of this name in a list of DatasetColumn *, or NULL */
extern DatasetColumn *dataset_find_column(List *columns, const char *name);

/* whether the list (of char *) has the name */
extern bool catalog_names_have(List *names, const char *name);

/* the value of a param as the manifest has it, or NULL */
extern char *catalog_param(const Dataset *dataset, const char *name);

#endif

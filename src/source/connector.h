/*-------------------------------------------------------------------------
 *
 * connector.h
 *		What a kind of source has to know, so that everything else is the same
 *		for all of them.
 *
 * Only files of this folder include it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CONNECTOR_H
#define SPICE_CONNECTOR_H

#include "nodes/parsenodes.h"

#include "catalog/dataset.h"
#include "source/http/spool.h"

/* one column that a source has, or that its relation shall have */
typedef struct SourceColumn
{
	char	   *name;
	Oid			type;
	int32		typmod;
	bool		declared;		/* the type is the manifest's, whatever the source has */
	bool		local;			/* conditions on it mean something else over there */
	bool		not_null;
	char	   *description;	/* or NULL */
} SourceColumn;

/* the column of this name in a list of them, or NULL */
extern SourceColumn *source_column(List *columns, const char *name);

/* the source as a whole */
typedef struct SourceRelation
{
	int64		records;		/* of the response that told the columns */
	char	   *description;	/* or NULL */
} SourceRelation;

typedef struct Connector
{
	const char *name;
	bool		fetches;		/* the rows are a response, fetched beforehand */

	/* the foreign server, by name, and the foreign table's options; NULL: a view */
	const char *(*server) (const Dataset *dataset);
	List	   *(*options) (const Dataset *dataset);

	/* makes server and credentials what the definition says; NULL: nothing to do */
	void		(*setup) (const Dataset *dataset);

	/* columns the source has, of SourceColumn *; spool: of a connector that fetches */
	List	   *(*find) (const Dataset *dataset, Spool *spool, SourceRelation *relation);

	/* refuses what a load would lose; NULL: nothing */
	void		(*check) (const Dataset *dataset);

	/* the refresh is over, also when it failed; NULL: nothing to do */
	void		(*finish) (void);

	/* for people: what to do about an error of the source's server, or NULL */
	const char *(*cure) (const ErrorData *error);
} Connector;

extern const Connector http_connector;
extern const Connector postgres_connector;
extern const Connector mysql_connector;
extern const Connector table_connector;

extern const Connector *connector_of(const Dataset *dataset);

/*
 * The name of something that belongs to the dataset, after the prefix: that of
 * its table, with the schema unless it is public.  Never another dataset's.
 */
extern char *connector_name(const Dataset *dataset, const char *prefix);

/* foreign_server.c: the DDL of servers, mappings and options */
extern DefElem *connector_option(const char *name, const char *value);
extern DefElem *connector_find_option(List *options, const char *name); /* or NULL */
extern char *options_clause(List *wanted);	/* OPTIONS (...) */
extern char *options_changes(List *present, List *wanted);	/* NULL: none */
extern const char *foreign_server_name(const Dataset *dataset);
extern void foreign_server_ensure(const Dataset *dataset, const char *wrapper,
								  const char *package, List *options);
extern void foreign_mapping_ensure(const Dataset *dataset, List *options);
extern void foreign_server_drop(const Dataset *dataset);

/*
 * foreign_server.c: reads catalogs of the source through the wrapper, by
 * foreign tables that live as long as the reading does.
 */
extern const char *remote_schema_begin(void);
extern void remote_table(const char *schema, const char *name, const char *columns,
						 const char *server, List *options);
extern void remote_schema_end(const char *schema);

/* a dataset that has come from a database before keeps nothing of that */
extern void connector_forget_others(const Dataset *dataset);

/* the source does not have what the manifest names */
pg_noreturn extern void refuse_missing_relation(const Dataset *dataset);

/* local_type.c: a type like it, of which no wrapper sends a condition away */
extern Oid	local_type(const Dataset *dataset, Oid type, int32 typmod);
extern void local_types_drop(const Dataset *dataset);

/* relation.c: the view of a source in this database */
extern void view_create(const Dataset *dataset, const char *name, List *columns);
extern bool view_alter(const Dataset *dataset, const char *name, List *columns, bool drop);

#endif

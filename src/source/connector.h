/*-------------------------------------------------------------------------
 *
 * connector.h
 *		The interface of a connector: what differs between kinds of sources.
 *
 * Only files of this folder include it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CONNECTOR_H
#define SPICE_CONNECTOR_H

#include "catalog/dataset.h"
#include "source/http/http.h"
#include "source/source_column.h"

typedef struct Connector
{
	const char *name;
	bool		fetches;		/* the rows are a response, fetched beforehand */

	bool		view;			/* the source relation is a view, and no foreign table */

	/* options of a foreign table at the dataset's own server; of a connector that fetches: NULL */
	List	   *(*options) (const Dataset *dataset);

	/*
	 * fetches, where source_fetch() does not itself: conditional, the spool is NULL when its
	 * digest is the dataset's
	 */
	HttpResponse *(*fetch) (const Dataset *dataset, bool conditional, HttpReport *report,
							MemoryContext context);

	/* makes server and credentials what the definition says; NULL: nothing to do */
	void		(*setup) (const Dataset *dataset);

	/* columns the source has, of SourceColumn *; spool: of a connector that fetches */
	List	   *(*find) (const Dataset *dataset, Spool *spool, SourceRelation *relation);

	/* refuses what a load would lose, before the load and after it; NULL: nothing */
	void		(*check) (const Dataset *dataset);

	/* for people: what to do about an error of the source's server, or NULL */
	const char *(*cure) (const ErrorData *error);
} Connector;

extern const Connector http_connector;
extern const Connector file_connector;
extern const Connector s3_connector;
extern const Connector postgres_connector;
extern const Connector mysql_connector;
extern const Connector table_connector;

extern const Connector *connector_of(const Dataset *dataset);

#endif

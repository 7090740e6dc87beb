/*-------------------------------------------------------------------------
 *
 * foreign_server.h
 *		The foreign server of a dataset that comes from a database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FOREIGN_SERVER_H
#define SPICE_FOREIGN_SERVER_H

#include "catalog/dataset.h"

extern const char *foreign_server_name(const Dataset *dataset);

/*
 * Creates the server, or makes the one that is there agree with the definition.
 * options: of DefElem *.  package: what a hint tells people to install when the
 * wrapper is missing.
 */
extern void foreign_server_ensure(const Dataset *dataset, const char *wrapper,
								  const char *package, List *options);

/* The same for the user mapping, which serves every role that may read the table. */
extern void foreign_server_ensure_mapping(const Dataset *dataset, List *options);

extern void foreign_server_drop(const Dataset *dataset);

/*
 * Reads catalogs of the source through the wrapper, by foreign tables in a
 * schema that the caller drops at the end.
 */
extern const char *foreign_server_begin_schema(void);
extern void foreign_server_add_table(const char *schema, const char *name, const char *columns,
									 const char *server, List *options);
extern void foreign_server_end_schema(const char *schema);

#endif

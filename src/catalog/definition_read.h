/*-------------------------------------------------------------------------
 *
 * definition_read.h
 *		Reads a dataset's definition from jsonb.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DEFINITION_READ_H
#define SPICE_DEFINITION_READ_H

#include "catalog/dataset.h"

/* a definition from its text; NULL: NULL, which the functions below take for an empty one */
extern struct JsonbContainer *definition_read_text(const char *text);

/*
 * Fills the dataset from its definition.  The name is set already and remains.
 * Raises an error for a definition that this version has not written.
 */
extern void definition_read(Dataset *dataset, struct JsonbContainer *definition);

/* columns and indexes alone, of another definition than the dataset's */
extern List *definition_read_columns(struct JsonbContainer *definition);
extern List *definition_read_indexes(struct JsonbContainer *definition);

/* whether two definitions differ in keys whose change means any of these parts */
extern bool definition_differs(struct JsonbContainer *one, struct JsonbContainer *other,
							   KeyParts parts);

/* the text of a key, or NULL */
extern char *definition_read_key(struct JsonbContainer *definition, const char *key);

#endif

/*-------------------------------------------------------------------------
 *
 * check.h
 *		Values of a manifest, checked by the tables of keys.def.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CHECK_H
#define SPICE_CHECK_H

#include "manifest/definition.h"
#include "manifest/document.h"
#include "manifest/parse.h"

/* Reports what is wrong with the keys of a mapping and with their values. */
extern void check_mapping(Parser *parser, const KeyTable *table, const DocNode *mapping);

/*
 * The value of a key.  A value that check_mapping() refuses counts as missing,
 * as do a null and a key that the table does not have: callers get NULL or "otherwise".
 */
extern const DocNode *check_value(const KeyTable *table, const DocNode *mapping, const char *key);
extern const char *check_text(const KeyTable *table, const DocNode *mapping,
							  const char *key, const char *otherwise);
extern bool check_boolean(const KeyTable *table, const DocNode *mapping,
						  const char *key, bool otherwise);

/* Sets the fields that the table's rows name, to their values or defaults. */
extern void check_fill(const KeyTable *table, const DocNode *mapping, Definition *definition);

#endif

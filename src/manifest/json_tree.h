/*-------------------------------------------------------------------------
 *
 * json_tree.h
 *		JSON that a parser of a manifest writes.
 *
 * Every value hangs on parser->json as soon as it exists, and lack of memory
 * leaves by the arena's escape: the owner of the parser frees what is there.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_TREE_H
#define SPICE_JSON_TREE_H

#include "manifest/parse.h"

/* json_tree_begin() takes root over; json_tree_finish() prints it into the arena */
extern json_t *json_tree_begin(Parser *parser, json_t *root);
extern char *json_tree_finish(Parser *parser);

/* Takes value over, even when it fails. */
extern void json_tree_put(Parser *parser, json_t *object, const char *key, json_t *value);

/* text may be NULL */
extern void json_tree_put_text(Parser *parser, json_t *object, const char *key,
							   const char *text);
extern json_t *json_tree_put_list(Parser *parser, json_t *object, const char *key);
extern json_t *json_tree_new_object(void);
extern json_t *json_tree_add(Parser *parser, json_t *list, json_t *value);

#endif

/*-------------------------------------------------------------------------
 *
 * stores.h
 *		The list "secrets": which stores hold secrets, in which order.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_STORES_H
#define SPICE_STORES_H

#include "manifest/document.h"
#include "manifest/parse.h"

/* the list as JSON text */
extern char *stores_parse(Parser *parser, const DocNode *root);

#endif

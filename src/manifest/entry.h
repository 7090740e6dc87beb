/*-------------------------------------------------------------------------
 *
 * entry.h
 *		One entry of "datasets".
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ENTRY_H
#define SPICE_ENTRY_H

#include "manifest/document.h"
#include "manifest/parse.h"

/* Fills what follows from an entry whose name is set already. */
extern void entry_parse(Parser *parser, const DocNode *entry, ManifestDataset *dataset);

extern void entry_refuse_ref(Parser *parser, const DocNode *ref);

#endif

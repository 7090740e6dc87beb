/*-------------------------------------------------------------------------
 *
 * paging.h
 *		How a source answers in pages: "params" pagination_*.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PAGING_H
#define SPICE_PAGING_H

#include "manifest/spec.h"

/* Refuses what contradicts itself; the format has to be known. */
extern void paging_check(Parser *parser, DatasetSpec *spec);

/* Do the params look for records or for the place of the next page in a page, which is JSON then? */
extern bool paging_looks_into_pages(const DatasetSpec *spec);

/* Is each ~ of a JSON pointer followed by 0 or 1? */
extern bool paging_pointer_is_valid(const char *pointer);

#endif

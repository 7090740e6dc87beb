/*-------------------------------------------------------------------------
 *
 * page_more.h
 *		Whether a page seems to name another one.
 *
 * Includes no server header: built on the host with sanitizers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PAGE_MORE_H
#define SPICE_PAGE_MORE_H

#include <stdbool.h>
#include <stddef.h>

#define PAGE_MORE_SIZE		4096	/* of a page's start and end that are looked at */
#define PAGE_MORE_POINTER	160

/*
 * Looks for a field that leads to a next page, beside the records of a JSON document, in its
 * start and in its end (of a short document both are the same bytes).  Writes the JSON pointer
 * to it.  A guess, for a notice: false may be wrong.
 */
extern bool page_more_find(const char *start, size_t start_length, const char *end, size_t end_length,
						   char *pointer);

#endif

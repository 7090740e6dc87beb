/*-------------------------------------------------------------------------
 *
 * wiping.h
 *		Memory that is wiped when it is freed, for libraries that are lent
 *		secrets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_WIPING_H
#define SPICE_WIPING_H

#include <stddef.h>

/* as their namesakes of the C library; safe in any thread */
extern void *wiping_malloc(size_t size);
extern void *wiping_calloc(size_t count, size_t size);
extern void *wiping_realloc(void *memory, size_t size);
extern char *wiping_strdup(const char *text);
extern void wiping_free(void *memory);

#endif

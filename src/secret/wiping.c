/*-------------------------------------------------------------------------
 *
 * wiping.c
 *		Memory that is wiped when it is freed.
 *
 * libcurl copies user, password and headers into strings and request buffers
 * of its own and frees them as they are; jansson does so with an answer that
 * repeats them.  A process of the server lives on for hours, and what lay in
 * its heap is in the next core dump.  Both libraries take their memory from
 * whom they are told, so they take it from here.
 *
 * The C library does not tell how large an allocation is, in words that all
 * systems know: the size stands before it.
 *
 *-------------------------------------------------------------------------
 */
#include "secret/wiping.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef union Prefix
{
	size_t		size;			/* of what follows */
	max_align_t aligned;
} Prefix;

void *
wiping_malloc(size_t size)
{
	Prefix	   *prefix = size <= SIZE_MAX - sizeof(Prefix) ? malloc(sizeof(Prefix) + size) : NULL;

	if (prefix == NULL)
		return NULL;
	prefix->size = size;
	return prefix + 1;
}

void *
wiping_calloc(size_t count, size_t size)
{
	void	   *memory = size == 0 || count <= SIZE_MAX / size ? wiping_malloc(count * size) : NULL;

	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

void
wiping_free(void *memory)
{
	Prefix	   *prefix = memory;

	if (prefix == NULL)
		return;
	prefix--;
	explicit_bzero(memory, prefix->size);
	free(prefix);
}

void *
wiping_realloc(void *memory, size_t size)
{
	void	   *moved = wiping_malloc(size);

	/* never in place: realloc() would leave the old bytes where they were */
	if (memory != NULL && moved != NULL)
	{
		size_t		before = ((Prefix *) memory - 1)->size;

		memcpy(moved, memory, before < size ? before : size);
		wiping_free(memory);
	}
	return moved;
}

char *
wiping_strdup(const char *text)
{
	size_t		size = strlen(text) + 1;
	char	   *copy = wiping_malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}

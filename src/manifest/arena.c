/*-------------------------------------------------------------------------
 *
 * arena.c
 *		Memory that is freed all at once.
 *
 * Blocks form a chain.  The newest block serves small requests; a large request
 * gets a block of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_SIZE	8192
#define ARENA_ALIGNMENT		_Alignof(max_align_t)

struct ArenaBlock
{
	ArenaBlock *next;
	size_t		used;
	max_align_t data[];
};

void
arena_out_of_memory(Arena *arena)
{
	longjmp(*arena->escape, 1);
}

static ArenaBlock *
arena_add_block(Arena *arena, size_t size)
{
	ArenaBlock *block;

	if (size > SIZE_MAX - sizeof(ArenaBlock))
		arena_out_of_memory(arena);
	block = calloc(1, sizeof(ArenaBlock) + size);
	if (block == NULL)
		arena_out_of_memory(arena);
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *
arena_alloc(Arena *arena, size_t size)
{
	ArenaBlock *block = arena->blocks;
	char	   *result;

	if (size > SIZE_MAX - ARENA_ALIGNMENT)
		arena_out_of_memory(arena);
	size = (size + ARENA_ALIGNMENT - 1) & ~(ARENA_ALIGNMENT - 1);

	if (size > arena->free_bytes)
	{
		size_t		block_size = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;

		block = arena_add_block(arena, block_size);
		arena->free_bytes = block_size;
	}
	if (size == 0)
		return arena;			/* never dereferenced, and not NULL */
	result = (char *) block->data + block->used;
	block->used += size;
	arena->free_bytes -= size;
	return result;
}

char *
arena_strndup(Arena *arena, const char *text, size_t length)
{
	char	   *copy = arena_alloc(arena, length + 1);

	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

char *
arena_strdup(Arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_vprintf(Arena *arena, const char *format, va_list args)
{
	va_list		again;
	int			length;
	char	   *text;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		arena_out_of_memory(arena);
	text = arena_alloc(arena, (size_t) length + 1);
	vsnprintf(text, (size_t) length + 1, format, args);
	return text;
}

char *
arena_printf(Arena *arena, const char *format,...)
{
	va_list		args;
	char	   *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void *
arena_grow(Arena *arena, void *array, size_t used, size_t *capacity,
		   size_t element_size)
{
	size_t		wanted;
	void	   *bigger;

	if (used < *capacity)
		return array;
	wanted = *capacity == 0 ? 4 : *capacity * 2;
	if (wanted > SIZE_MAX / element_size)
		arena_out_of_memory(arena);
	bigger = arena_alloc(arena, wanted * element_size);
	if (used > 0)
		memcpy(bigger, array, used * element_size);
	*capacity = wanted;
	return bigger;
}

void
arena_free(Arena *arena)
{
	ArenaBlock *block = arena->blocks;

	while (block != NULL)
	{
		ArenaBlock *next = block->next;

		free(block);
		block = next;
	}
	arena->blocks = NULL;
	arena->free_bytes = 0;
}

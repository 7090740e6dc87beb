/*-------------------------------------------------------------------------
 *
 * arena.h
 *		Memory that is freed all at once.
 *
 * The texts of a manifest live equally long.  To free them one by one, the error
 * paths would have to repeat the parser's structure, so all come from one arena.
 * When memory runs out, the arena jumps to its "escape", so that some hundred
 * callers need not check a result.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ARENA_H
#define SPICE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena
{
	ArenaBlock *blocks;
	size_t		free_bytes;		/* left in the first block */
	jmp_buf    *escape;			/* where arena_out_of_memory() goes */
} Arena;

extern void arena_out_of_memory(Arena *arena) __attribute__((noreturn));

/* zeroed memory, aligned for any type */
extern void *arena_alloc(Arena *arena, size_t size);
extern char *arena_strndup(Arena *arena, const char *text, size_t length);
extern char *arena_strdup(Arena *arena, const char *text);
extern char *arena_printf(Arena *arena, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern char *arena_vprintf(Arena *arena, const char *format, va_list args)
			__attribute__((format(printf, 2, 0)));

/* room for one more in an array of *capacity elements, of which "used" are taken */
extern void *arena_grow(Arena *arena, void *array, size_t used,
						size_t *capacity, size_t element_size);
extern void arena_free(Arena *arena);

#endif

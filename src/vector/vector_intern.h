/*-------------------------------------------------------------------------
 *
 * vector_intern.h
 *		Numbers for distinct strings of bytes: 0, 1, 2, ... in order of appearance.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_INTERN_H
#define SPICE_VECTOR_INTERN_H

#include "vector/vector_value.h"

typedef struct InternTable InternTable;

extern InternTable *intern_make(MemoryContext context);
extern uint32 intern_count(const InternTable *table);
extern uint32 intern_bytes(InternTable *table, ByteView bytes);
extern void intern_all(InternTable *table, int count, const ByteView *bytes, const bool *nulls,
					   uint32 *numbers);
extern ByteView intern_get(const InternTable *table, uint32 number);

/* a finalizer of 64 bits: no two words have the same */
static inline uint64
intern_mix(uint64 word)
{
	word ^= word >> 32;
	word *= UINT64CONST(0x9E3779B97F4A7C15);
	word ^= word >> 29;
	return word;
}

#endif

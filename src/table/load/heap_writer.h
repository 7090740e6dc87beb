/*-------------------------------------------------------------------------
 *
 * heap_writer.h
 *		Fills a heap that no other backend can see yet.
 *
 * The heap must be new and empty, and of access method heap.  Its rows can be
 * read after heap_writer_end().  An error in between needs no clean-up: the files
 * go with the relation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HEAP_WRITER_H
#define SPICE_HEAP_WRITER_H

#include "access/htup.h"
#include "utils/rel.h"

typedef struct HeapWriter HeapWriter;

/* Allocates at most some 300 kB, in the current memory context. */
extern HeapWriter *heap_writer_begin(Relation heap);

/* Whether the tuple is so large that the heap must have a TOAST table before it is added. */
extern bool heap_tuple_wants_toast(HeapTuple tuple);

/*
 * Adds a tuple, which is laid out as the heap's.  What its header says of
 * transactions does not matter.  The tuple is neither changed nor kept.
 */
extern void heap_writer_add(HeapWriter *writer, HeapTuple tuple);
extern void heap_writer_end(HeapWriter *writer);

#endif

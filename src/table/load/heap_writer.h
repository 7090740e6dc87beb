/*-------------------------------------------------------------------------
 *
 * heap_writer.h
 *		Fills a heap that nobody else can see yet.
 *
 * The heap must be new and empty, and of access method heap.  Its rows are there
 * for reading after heap_writer_end().  A transaction that ends in between, or
 * an error, needs no clean-up: the files go with the relation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HEAP_WRITER_H
#define SPICE_HEAP_WRITER_H

#include "access/htup.h"
#include "utils/rel.h"

typedef struct HeapWriter HeapWriter;

/* what it allocates, some 300 kB, belongs to the current memory context */
extern HeapWriter *heap_writer_begin(Relation heap);

/* is it so large that the heap must have a TOAST table before it is added? */
extern bool heap_tuple_wants_toast(HeapTuple tuple);

/*
 * The tuple is laid out as the heap's; what its header says of transactions does
 * not matter.  It is left as it is, and not referred to afterwards.
 */
extern void heap_writer_add(HeapWriter *writer, HeapTuple tuple);
extern void heap_writer_end(HeapWriter *writer);

/*
 * Takes out of a tuple's header what it says of the type that the row was made as, by
 * which the server would check whoever takes it apart.
 */
extern void heap_tuple_forget_type(HeapTupleHeader header);

#endif

/*-------------------------------------------------------------------------
 *
 * vector_source.h
 *		The rows of a table that a snapshot sees, as batches, in the heap's order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_SOURCE_H
#define SPICE_VECTOR_SOURCE_H

#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "column/column_format.h"
#include "vector/vector_batch.h"

typedef struct VectorSource VectorSource;

/* what EXPLAIN ANALYZE says */
typedef struct SourceCounts
{
	uint64		column_blocks;
	uint64		heap_blocks;
	uint64		skipped_groups;
} SourceCounts;

extern VectorSource *source_open(Relation table, Oid index, Snapshot snapshot, VectorBatch *batch);
extern void source_start(VectorSource *source);
extern bool source_next(VectorSource *source);
extern void source_set_filter(VectorSource *source, bool (*may_pass) (void *owner, int rows),
							  void *owner);
extern const ColumnChunk *source_chunk(const VectorSource *source, int column);
extern void source_tid(const VectorSource *source, int row, ItemPointer tid, bool *is_exact);
extern const SourceCounts *source_counts(const VectorSource *source);
extern void source_close(VectorSource *source);

#endif

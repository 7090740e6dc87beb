/*-------------------------------------------------------------------------
 *
 * sample.h
 *		Rows picked while they are loaded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SAMPLE_H
#define SPICE_SAMPLE_H

#include "access/htup.h"

#include "table/build.h"

/*
 * Rows that are picked while all are loaded.  NULL never serves.  When
 * all have been added, the rows are packed, in the order in which they came: sample_pack()
 * says where, in the sample's memory.  Other processes may have a copy; the tuples
 * that sample_unpack() makes refer to it.
 */
extern TableSample *sample_begin(MemoryContext parent, int target);
extern void sample_add(TableSample *sample, HeapTuple tuple);
extern bool sample_serves(const TableSample *sample);
extern const char *sample_pack(TableSample *sample, Size *size, int *n_rows);
extern HeapTupleData *sample_unpack(const char *packed, int n_rows);
extern void sample_free(TableSample *sample);

#endif

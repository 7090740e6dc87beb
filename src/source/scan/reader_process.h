/*-------------------------------------------------------------------------
 *
 * reader_process.h
 *		A process that reads records while another one writes rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_READER_PROCESS_H
#define SPICE_READER_PROCESS_H

#include "access/htup.h"

#include "source/scan/scan.h"

typedef struct ReaderProcess ReaderProcess;

/*
 * Starts a scan of the spool (scan.h has the meaning of fields and used).  NULL when the
 * spool cannot be shared or no process can be had.  The caller is in parallel
 * mode until the stop: it may write rows, but not begin commands.  scan: a scan of the
 * same columns in this process, not open yet, which may take part.
 */
extern ReaderProcess *reader_process_start(const RecordFormat *format, TupleDesc desc, char **fields,
										   List *used, Spool *spool, SourceScan *scan);

/* the next tuple, good until the next call; NULL at the end.  Raises the scan's errors. */
extern HeapTuple reader_process_next(ReaderProcess *process);

/* also before the end; the report is complete only after it */
extern void reader_process_stop(ReaderProcess *process, SourceReport *report);

#endif

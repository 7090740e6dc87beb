/*-------------------------------------------------------------------------
 *
 * reader_process.c
 *		A process that reads records while another one writes rows.
 *
 * Reading the records of a large response takes longer than writing the rows,
 * and neither has to wait for the other.  So a parallel worker (the reader) scans
 * the spool and sends its tuples, in order, through a queue in shared memory to the
 * refresh (the writer).  Without the reader a refresh of a million records takes
 * 31 % longer.
 *
 * The writer would be idle for part of that time.  When the writer has nothing left
 * to write, the reader hands it the next stripe of the spool: the writer reads these
 * records itself, and the reader skips them, which takes a tenth of the time.
 * Without this sharing the refresh takes 19 % longer.  The first stripe is the
 * writer's, because the reader takes as long to start.  A stripe begins where one of
 * the two has read to, and both find the same end of it, so that each record is read
 * exactly once.
 *
 * The refresh must report the first error in the response.  Input after an error
 * cannot be trusted, so when the reader fails it waits for the writer to finish every
 * earlier stripe, and reports its own error only if they succeeded.
 *
 * The reader gets a complete job: the spool, the definition, and the columns with their
 * types.  It looks nothing up by name or by id, because a manifest that is applied
 * during the refresh would change what it finds.
 *
 * A parallel plan with a Gather would not do: its queues hold 64 kB, so that either
 * process goes to sleep and is woken up thousands of times a second, which costs more
 * than the reading on virtual machines.  Here a message is a batch of tuples, and the
 * queue holds many of those.
 *
 * Both processes run in parallel mode: they cannot assign transaction IDs or advance
 * the command counter.  A load does neither, and refresh/query.c asks the planner
 * whether the rest of the query does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/resource.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/shm_mq.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "source/scan/reader_process.h"
#include "source/scan/records.h"

#define KEY_WORK		1
#define KEY_QUEUE		2
#define KEY_FINDINGS	3
#define KEY_COLUMNS		4
#define KEY_DEFINITION	5
#define KEY_FIELDS		6

#define QUEUE_SIZE	((Size) 4 * 1024 * 1024)
#define READER_NICE	10
#define BATCH_SIZE	((Size) 64 * 1024)
#define IDLE_BATCHES 3			/* that the writer is through with before it could get another */
#define STRIPE_SIZE ((int64) 1024 * 1024)	/* some milliseconds of reading */
#define FIRST_STRIPE_SIZE (4 * STRIPE_SIZE) /* about as long as a process takes to start */
#define PATIENCE_MS 1			/* between looks whether what was handed over has been read */

/* in shared memory */
typedef struct ReaderWork
{
	/* the job; the definition and the columns have keys of their own */
	int			n_columns;
	int64		spool_size;
	char		spool_path[MAXPGPATH];
	char		spool_type[NAMEDATALEN * 2];

	/* how far the writer is */
	pg_atomic_uint64 batches_written;
	pg_atomic_uint64 stripes_read;
	pg_atomic_flag going;		/* set until it wants no more */

	bool		ended;			/* the reader has, with all that it met, once the queue is
								 * detached */

	int			n_used;
	int			used[FLEXIBLE_ARRAY_MEMBER];
} ReaderWork;

struct ReaderProcess
{
	ParallelContext *context;
	ReaderWork *work;
	ScanFindings *findings;		/* the reader's */
	shm_mq_handle *queue;
	const char *position;		/* in the newest batch */
	const char *end;
	HeapTupleData tuple;
	SourceScan *scan;			/* of what is handed over to this process */
	JsonReader *json;			/* its reader; NULL: nothing is handed over */
	int64		until;			/* a record ends there or later: the end of the stripe; 0: there
								 * is none to read */
	int64		records_read;	/* of such stripes */
};

/* before each tuple of a batch; the tuple is padded to the same alignment */
typedef union BatchEntry
{
	uint32		length;			/* 0: a Handover follows */
	char		align[MAXIMUM_ALIGNOF];
} BatchEntry;

/* the writer shall read on behind this record, until one ends at this offset or later */
typedef struct Handover
{
	int64		record;
	int64		end;
	int64		until;
} Handover;

/* ------- the process that reads ------- */

typedef struct Batch
{
	shm_mq_handle *queue;
	char	   *data;
	Size		size;
	Size		used;
	uint64		sent;			/* batches before it */
} Batch;

/* Returns false if the writer has left the queue. */
static bool
send_batch(Batch *batch)
{
	bool		sent = shm_mq_send(batch->queue, batch->used, batch->data, false, true) == SHM_MQ_SUCCESS;

	batch->used = 0;
	batch->sent++;
	return sent;
}

/* the same; length: what the entry says, of what is in it there are size bytes */
static bool
add_to_batch(Batch *batch, uint32 length, const void *data, Size size)
{
	Size		needed = sizeof(BatchEntry) + MAXALIGN(size);

	if (batch->used > 0 && batch->used + needed > batch->size && !send_batch(batch))
		return false;
	if (needed > batch->size)
	{
		batch->data = repalloc_huge(batch->data, needed);
		batch->size = needed;
	}
	((BatchEntry *) (batch->data + batch->used))->length = length;
	memcpy(batch->data + batch->used + sizeof(BatchEntry), data, size);
	batch->used += needed;
	return true;
}

/* will it be, before it can get another batch? */
static bool
writer_is_idle(ReaderWork *work, const Batch *batch)
{
	return batch->sent - pg_atomic_read_u64(&work->batches_written) <= IDLE_BATCHES;
}

/*
 * Hands the next stripe over if the writer is idle, and skips its records.  Returns
 * false if the writer has left the queue.
 */
static bool
share_next_stripe(ReaderWork *work, JsonReader *json, Batch *batch, volatile uint64 *handed_over)
{
	Handover	handover = {json->record, json->end, json->end + STRIPE_SIZE};

	if (!writer_is_idle(work, batch))
		return true;
	/* what was read before comes before */
	if (!send_batch(batch) ||
		!add_to_batch(batch, 0, &handover, sizeof(handover)) || !send_batch(batch))
		return false;
	(*handed_over)++;
	/* if the records end before, the next one is not there */
	(void) json_reader_skip(json, handover.until);
	return true;
}

/* Returns false if the writer has left the queue. */
static bool
send_all(ReaderWork *work, SourceScan *scan, shm_mq_handle *queue, volatile uint64 *handed_over)
{
	Batch		batch = {.queue = queue, .data = palloc0(BATCH_SIZE), .size = BATCH_SIZE};
	JsonReader *json = scan_json(scan); /* NULL: the spool cannot be shared */
	uint64		looked_at = 0;	/* batches that had been sent */
	HeapTuple	tuple;

	if (json != NULL)
	{
		*handed_over = 1;
		(void) json_reader_skip(json, FIRST_STRIPE_SIZE);
	}
	while ((tuple = scan_next(scan)) != NULL)
	{
		if (!add_to_batch(&batch, tuple->t_len, tuple->t_data, tuple->t_len))
			return false;
		if (json == NULL || batch.sent == looked_at)
			continue;
		if (!share_next_stripe(work, json, &batch, handed_over))
			return false;
		looked_at = batch.sent;
	}
	return batch.used == 0 || send_batch(&batch);
}

/* returns when it has been read; never if that fails, which ends us */
static void
wait_for_handed_over(ReaderWork *work, uint64 handed_over)
{
	while (pg_atomic_read_u64(&work->stripes_read) < handed_over && !pg_atomic_unlocked_test_flag(&work->going))
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PATIENCE_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
read_records(ReaderWork *work, SourceScan *scan, shm_mq_handle *queue, ScanFindings *findings)
{
	volatile uint64 handed_over = 0;

	PG_TRY();
	{
		if (send_all(work, scan, queue, &handed_over))
		{
			scan_findings(scan, findings);
			work->ended = true;
		}
	}
	PG_CATCH();
	{
		wait_for_handed_over(work, handed_over);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* The columns of the foreign table as the refresh has them. */
static TupleDesc
read_columns(const ReaderWork *work, shm_toc *toc)
{
	FormData_pg_attribute *columns = shm_toc_lookup(toc, KEY_COLUMNS, false);
	Form_pg_attribute *pointers = palloc(sizeof(Form_pg_attribute) * work->n_columns);

	for (int i = 0; i < work->n_columns; i++)
		pointers[i] = &columns[i];
	return CreateTupleDesc(work->n_columns, pointers);
}

/* The names of the columns' fields, each with its NUL, follow one another. */
static char **
read_fields(const ReaderWork *work, shm_toc *toc)
{
	char	   *name = shm_toc_lookup(toc, KEY_FIELDS, false);
	char	  **fields = palloc(sizeof(char *) * work->n_columns);

	for (int i = 0; i < work->n_columns; i++)
	{
		fields[i] = name;
		name += strlen(name) + 1;
	}
	return fields;
}

PGDLLEXPORT void spice_reader_main(dsm_segment *segment, shm_toc *toc);

void
spice_reader_main(dsm_segment *segment, shm_toc *toc)
{
	ReaderWork *work = shm_toc_lookup(toc, KEY_WORK, false);
	shm_mq	   *queue = shm_toc_lookup(toc, KEY_QUEUE, false);
	ScanFindings *findings = shm_toc_lookup(toc, KEY_FINDINGS, false);
	RecordFormat format;
	shm_mq_handle *handle;
	List	   *used = NIL;
	SourceScan *scan;
	Spool	   *spool;

	/* where processors are short, the sessions that read tables come first */
	(void) setpriority(PRIO_PROCESS, 0, READER_NICE);
	shm_mq_set_sender(queue, MyProc);
	handle = shm_mq_attach(queue, segment, NULL);
	for (int i = 0; i < work->n_used; i++)
		used = lappend_int(used, work->used[i]);
	records_read_format(shm_toc_lookup(toc, KEY_DEFINITION, false), &format);
	spool = spool_attach(CurrentMemoryContext, work->spool_path, work->spool_size);
	spool_set_type(spool, work->spool_type);
	records_detect(&format, spool);
	scan = scan_create(&format, read_columns(work, toc), read_fields(work, toc), used,
					   CurrentMemoryContext);
	scan_open(scan, spool);
	read_records(work, scan, handle, findings);
	shm_mq_detach(handle);
	scan_free(scan);
}

/* ------- the process that it reads for ------- */

static void
copy_to_toc(ParallelContext *context, uint64 key, const void *data, Size size)
{
	void	   *copy = shm_toc_allocate(context->toc, size);

	memcpy(copy, data, size);
	shm_toc_insert(context->toc, key, copy);
}

static void
copy_columns(ParallelContext *context, TupleDesc desc)
{
	FormData_pg_attribute *columns = palloc0(sizeof(FormData_pg_attribute) * desc->natts);

	for (int i = 0; i < desc->natts; i++)
		memcpy(&columns[i], TupleDescAttr(desc, i), ATTRIBUTE_FIXED_PART_SIZE);
	copy_to_toc(context, KEY_COLUMNS, columns, sizeof(FormData_pg_attribute) * desc->natts);
	pfree(columns);
}

static StringInfo
join_fields(TupleDesc desc, char **fields)
{
	StringInfo	names = makeStringInfo();

	for (int i = 0; i < desc->natts; i++)
		appendBinaryStringInfo(names, fields[i], (int) strlen(fields[i]) + 1);
	return names;
}

static ReaderWork *
describe_work(ParallelContext *context, Size size, const RecordFormat *format, TupleDesc desc,
			  StringInfo fields, List *used, Spool *spool)
{
	ReaderWork *work = shm_toc_allocate(context->toc, size);

	memset(work, 0, size);
	work->n_columns = desc->natts;
	work->spool_size = spool_size(spool);
	strlcpy(work->spool_path, spool_path(spool), MAXPGPATH);
	strlcpy(work->spool_type, spool_type(spool), sizeof(work->spool_type));
	pg_atomic_init_u64(&work->batches_written, 0);
	pg_atomic_init_u64(&work->stripes_read, 0);
	pg_atomic_init_flag(&work->going);
	(void) pg_atomic_test_set_flag(&work->going);
	for (int i = 0; i < list_length(used); i++)
		work->used[work->n_used++] = list_nth_int(used, i);
	shm_toc_insert(context->toc, KEY_WORK, work);
	copy_columns(context, desc);
	copy_to_toc(context, KEY_DEFINITION, format->definition, strlen(format->definition) + 1);
	copy_to_toc(context, KEY_FIELDS, fields->data, fields->len);
	return work;
}

static shm_mq *
create_queue(ParallelContext *context)
{
	void	   *memory = shm_toc_allocate(context->toc, QUEUE_SIZE);
	shm_mq	   *queue = shm_mq_create(memory, QUEUE_SIZE);

	shm_toc_insert(context->toc, KEY_QUEUE, memory);
	shm_mq_set_receiver(queue, MyProc);
	return queue;
}

/*
 * May the reader make values of the type?  Input functions of the types beneath
 * have to be parallel safe, and a domain's condition may call anything.
 */
static bool
is_parallel_safe(Oid type)
{
	Oid			element = get_element_type(type);
	Oid			function;
	Oid			parameter;

	if (OidIsValid(element))
		return is_parallel_safe(element);
	switch (get_typtype(type))
	{
		case TYPTYPE_DOMAIN:
			return !DomainHasConstraints(type) && is_parallel_safe(getBaseType(type));
		case TYPTYPE_RANGE:
			function = lookup_type_cache(type, TYPECACHE_RANGE_INFO)->rng_canonical_finfo.fn_oid;
			return (!OidIsValid(function) || func_parallel(function) == PROPARALLEL_SAFE) &&
				is_parallel_safe(get_range_subtype(type));
		case TYPTYPE_MULTIRANGE:
			return is_parallel_safe(get_multirange_range(type));
		case TYPTYPE_COMPOSITE:
			return false;
		default:
			getTypeInputInfo(type, &function, &parameter);
			return func_parallel(function) == PROPARALLEL_SAFE;
	}
}

static bool
are_parallel_safe(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped && !is_parallel_safe(TupleDescAttr(desc, i)->atttypid))
			return false;
	}
	return true;
}

static ScanFindings *
create_findings(ParallelContext *context, Size size)
{
	ScanFindings *findings = shm_toc_allocate(context->toc, size);

	memset(findings, 0, size);
	shm_toc_insert(context->toc, KEY_FINDINGS, findings);
	return findings;
}

ReaderProcess *
reader_process_start(const RecordFormat *format, TupleDesc desc, char **fields, List *used,
					 Spool *spool, SourceScan *scan)
{
	StringInfo	names = join_fields(desc, fields);
	ReaderProcess *process;
	ParallelContext *context;
	Size		work_size = offsetof(ReaderWork, used) + sizeof(int) * list_length(used);
	Size		findings_size = scan_findings_size(desc);

	if (spool_path(spool) == NULL || max_parallel_workers_per_gather == 0 ||
		!are_parallel_safe(desc))
		return NULL;
	EnterParallelMode();
	context = CreateParallelContext("spice", "spice_reader_main", 1);
	shm_toc_estimate_chunk(&context->estimator, work_size);
	shm_toc_estimate_chunk(&context->estimator, QUEUE_SIZE);
	shm_toc_estimate_chunk(&context->estimator, findings_size);
	shm_toc_estimate_chunk(&context->estimator, sizeof(FormData_pg_attribute) * desc->natts);
	shm_toc_estimate_chunk(&context->estimator, strlen(format->definition) + 1);
	shm_toc_estimate_chunk(&context->estimator, names->len);
	shm_toc_estimate_keys(&context->estimator, 6);
	InitializeParallelDSM(context);

	process = palloc0(sizeof(ReaderProcess));
	process->context = context;
	process->work = describe_work(context, work_size, format, desc, names, used, spool);
	process->findings = create_findings(context, findings_size);
	process->queue = shm_mq_attach(create_queue(context), context->seg, NULL);
	process->scan = scan;
	LaunchParallelWorkers(context);
	if (context->nworkers_launched == 0)
	{
		reader_process_stop(process, NULL);
		return NULL;
	}
	shm_mq_set_handle(process->queue, context->worker[0].bgwhandle);
	scan_open(scan, spool);
	process->json = scan_json(scan);
	if (process->json != NULL)
		process->until = FIRST_STRIPE_SIZE;
	return process;
}

/* false at the end */
static bool
receive_batch(ReaderProcess *process)
{
	Size		size;
	void	   *data;

	if (process->position != NULL)
		pg_atomic_fetch_add_u64(&process->work->batches_written, 1);
	if (shm_mq_receive(process->queue, &size, &data, false) == SHM_MQ_SUCCESS)
	{
		process->position = data;
		process->end = process->position + size;
		return true;
	}
	/* raises the error that it ended with */
	WaitForParallelWorkersToFinish(process->context);
	if (!process->work->ended)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the process that reads for this one ended too early")));
	return false;
}

static void
begin_stripe(ReaderProcess *process, const Handover *handover)
{
	if (process->json == NULL)
		elog(ERROR, "a spool that cannot be shared has been handed over");
	process->until = handover->until;
	/* where no record follows, the next one is not there */
	(void) json_reader_go(process->json, handover->record, handover->end);
}

/* the next tuple of the stripe that was handed over, NULL: it is over */
static HeapTuple
next_of_stripe(ReaderProcess *process)
{
	HeapTuple	tuple = NULL;

	if (process->json->end < process->until)
		tuple = scan_next(process->scan);
	if (tuple == NULL)
	{
		process->until = 0;
		pg_atomic_fetch_add_u64(&process->work->stripes_read, 1);
	}
	else
		process->records_read++;
	return tuple;
}

/* the next tuple of the newest batch, NULL: what comes next is to be read here */
static HeapTuple
next_of_batch(ReaderProcess *process)
{
	uint32		length = ((const BatchEntry *) process->position)->length;
	const char *data = process->position + sizeof(BatchEntry);

	if (length == 0)
	{
		process->position = process->end;
		begin_stripe(process, (const Handover *) data);
		return NULL;
	}
	process->tuple.t_len = length;
	process->tuple.t_data = (HeapTupleHeader) data;
	ItemPointerSetInvalid(&process->tuple.t_self);
	process->position = data + MAXALIGN(length);
	return &process->tuple;
}

HeapTuple
reader_process_next(ReaderProcess *process)
{
	for (;;)
	{
		HeapTuple	tuple;

		if (process->until > 0)
			tuple = next_of_stripe(process);
		else if (process->position < process->end || receive_batch(process))
			tuple = next_of_batch(process);
		else
			return NULL;
		if (tuple != NULL)
			return tuple;
	}
}

void
reader_process_stop(ReaderProcess *process, SourceReport *report)
{
	/* a reader that still sends, or waits for the writer, ends now */
	pg_atomic_clear_flag(&process->work->going);
	shm_mq_detach(process->queue);
	WaitForParallelWorkersToFinish(process->context);
	if (report != NULL && process->work->ended)
	{
		*report = scan_report(process->scan, process->findings);
		elog(DEBUG1, "of %lld records the writer has read %lld",
			 (long long) process->findings->totals.records, (long long) process->records_read);
	}
	DestroyParallelContext(process->context);
	ExitParallelMode();
	pfree(process);
}

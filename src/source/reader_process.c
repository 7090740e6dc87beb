/*-------------------------------------------------------------------------
 *
 * reader_process.c
 *		A process that reads records while another one writes rows.
 *
 * Reading the records of a large response takes longer than writing the rows,
 * and neither has to wait for the other.  So a parallel worker runs the scan and
 * sends its tuples, in their order, through a queue in shared memory.
 *
 * Why not a parallel plan with a Gather: its queues hold 64 kB, so that either
 * side goes to sleep, and is woken up, thousands of times a second; on virtual
 * machines that costs more than all the reading.  Here a message is a batch of
 * tuples and the queue holds many of those.
 *
 * Who has to do with it is in parallel mode: no new transaction ids, no commands.
 * Loads fulfil that, and query.c asks the planner about what is in the query.
 *
 *-------------------------------------------------------------------------
 */
#include "source/reader_process.h"

#include <sys/resource.h>

#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "storage/shm_mq.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "source/scan.h"

#define KEY_WORK	1
#define KEY_QUEUE	2

#define QUEUE_SIZE	((Size) 4 * 1024 * 1024)
#define READER_NICE	10
#define BATCH_SIZE	((Size) 64 * 1024)

/* in shared memory */
typedef struct ReaderWork
{
	/* what to do */
	Oid			relation;
	int			dataset;
	int64		spool_size;
	char		spool_path[MAXPGPATH];

	/* what came of it, once the queue is detached */
	bool		ended;
	SourceReport report;

	int			n_used;
	int			used[FLEXIBLE_ARRAY_MEMBER];
} ReaderWork;

struct ReaderProcess
{
	ParallelContext *context;
	ReaderWork *work;
	shm_mq_handle *queue;
	const char *position;		/* in the newest batch */
	const char *end;
	HeapTupleData tuple;
};

/* before each tuple of a batch; the tuple is padded to the same alignment */
typedef union BatchEntry
{
	uint32		length;
	char		align[MAXIMUM_ALIGNOF];
} BatchEntry;

/* ------- the process that reads ------- */

typedef struct Batch
{
	shm_mq_handle *queue;
	char	   *data;
	Size		size;
	Size		used;
} Batch;

/* false: nobody receives any more */
static bool
send_batch(Batch *batch)
{
	bool		sent = shm_mq_send(batch->queue, batch->used, batch->data, false, true) == SHM_MQ_SUCCESS;

	batch->used = 0;
	return sent;
}

static bool
add_to_batch(Batch *batch, HeapTuple tuple)
{
	Size		needed = sizeof(BatchEntry) + MAXALIGN(tuple->t_len);

	if (batch->used > 0 && batch->used + needed > batch->size && !send_batch(batch))
		return false;
	if (needed > batch->size)
	{
		batch->data = repalloc_huge(batch->data, needed);
		batch->size = needed;
	}
	((BatchEntry *) (batch->data + batch->used))->length = tuple->t_len;
	memcpy(batch->data + batch->used + sizeof(BatchEntry), tuple->t_data, tuple->t_len);
	batch->used += needed;
	return true;
}

/* false: nobody receives any more */
static bool
send_all(SourceScan *scan, shm_mq_handle *queue)
{
	Batch		batch = {.queue = queue, .data = palloc0(BATCH_SIZE), .size = BATCH_SIZE};
	HeapTuple	tuple;

	while ((tuple = scan_next(scan)) != NULL)
	{
		if (!add_to_batch(&batch, tuple))
			return false;
	}
	return batch.used == 0 || send_batch(&batch);
}

PGDLLEXPORT void spice_reader_main(dsm_segment *segment, shm_toc *toc);

void
spice_reader_main(dsm_segment *segment, shm_toc *toc)
{
	ReaderWork *work = shm_toc_lookup(toc, KEY_WORK, false);
	shm_mq	   *queue = shm_toc_lookup(toc, KEY_QUEUE, false);
	shm_mq_handle *handle;
	Relation	relation = table_open(work->relation, AccessShareLock);
	List	   *used = NIL;
	SourceScan *scan;

	/* where processors are short, the sessions that read tables come first */
	(void) setpriority(PRIO_PROCESS, 0, READER_NICE);
	shm_mq_set_sender(queue, MyProc);
	handle = shm_mq_attach(queue, segment, NULL);
	for (int i = 0; i < work->n_used; i++)
		used = lappend_int(used, work->used[i]);
	scan = scan_create(catalog_dataset_by_id(work->dataset), RelationGetDescr(relation), used,
					   CurrentMemoryContext);
	scan_open(scan, spool_attach(CurrentMemoryContext, work->spool_path, work->spool_size));
	if (send_all(scan, handle))
	{
		work->report = scan_report(scan);
		work->ended = true;
	}
	shm_mq_detach(handle);
	scan_free(scan);
	table_close(relation, AccessShareLock);
}

/* ------- the process that it reads for ------- */

static ReaderWork *
describe_work(ParallelContext *context, Size size, const Dataset *dataset, Relation relation,
			  List *used, Spool *spool)
{
	ReaderWork *work = shm_toc_allocate(context->toc, size);

	memset(work, 0, size);
	work->relation = RelationGetRelid(relation);
	work->dataset = dataset->id;
	work->spool_size = spool_size(spool);
	strlcpy(work->spool_path, spool_path(spool), MAXPGPATH);
	for (int i = 0; i < list_length(used); i++)
		work->used[work->n_used++] = list_nth_int(used, i);
	shm_toc_insert(context->toc, KEY_WORK, work);
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

/* does taking a value of the type run a condition that somebody has put on it? */
static bool
has_condition(Oid type)
{
	Oid			part = get_element_type(type);

	if (!OidIsValid(part))
		part = get_range_subtype(type);
	if (OidIsValid(part))
		return has_condition(part);
	switch (get_typtype(type))
	{
		case TYPTYPE_DOMAIN:
			return DomainHasConstraints(type) || has_condition(getBaseType(type));
		case TYPTYPE_COMPOSITE:
			return true;
		default:
			return false;
	}
}

/* what such a condition calls may do what parallel workers must not */
static bool
any_condition(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped && has_condition(TupleDescAttr(desc, i)->atttypid))
			return true;
	}
	return false;
}

ReaderProcess *
reader_process_start(const Dataset *dataset, Relation relation, List *used, Spool *spool)
{
	ReaderProcess *process;
	ParallelContext *context;
	Size		work_size = offsetof(ReaderWork, used) + sizeof(int) * list_length(used);

	if (spool_path(spool) == NULL || max_parallel_workers_per_gather == 0 ||
		any_condition(RelationGetDescr(relation)))
		return NULL;
	EnterParallelMode();
	context = CreateParallelContext("spice", "spice_reader_main", 1);
	shm_toc_estimate_chunk(&context->estimator, work_size);
	shm_toc_estimate_chunk(&context->estimator, QUEUE_SIZE);
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);

	process = palloc0(sizeof(ReaderProcess));
	process->context = context;
	process->work = describe_work(context, work_size, dataset, relation, used, spool);
	process->queue = shm_mq_attach(create_queue(context), context->seg, NULL);
	LaunchParallelWorkers(context);
	if (context->nworkers_launched == 0)
	{
		reader_process_stop(process, NULL);
		return NULL;
	}
	shm_mq_set_handle(process->queue, context->worker[0].bgwhandle);
	return process;
}

/* false at the end */
static bool
receive_batch(ReaderProcess *process)
{
	Size		size;
	void	   *data;

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

HeapTuple
reader_process_next(ReaderProcess *process)
{
	uint32		length;

	if (process->position == process->end && !receive_batch(process))
		return NULL;
	length = ((const BatchEntry *) process->position)->length;
	process->tuple.t_len = length;
	process->tuple.t_data = (HeapTupleHeader) (process->position + sizeof(BatchEntry));
	ItemPointerSetInvalid(&process->tuple.t_self);
	process->position += sizeof(BatchEntry) + MAXALIGN(length);
	return &process->tuple;
}

void
reader_process_stop(ReaderProcess *process, SourceReport *report)
{
	/* if it still sends, it now hears that nobody listens */
	shm_mq_detach(process->queue);
	WaitForParallelWorkersToFinish(process->context);
	if (report != NULL && process->work->ended)
		*report = process->work->report;
	DestroyParallelContext(process->context);
	ExitParallelMode();
	pfree(process);
}

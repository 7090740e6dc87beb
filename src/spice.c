/*-------------------------------------------------------------------------
 *
 * spice.c
 *		Library entry: what the library asks of the server.
 *
 * The rooms do not register hooks, callbacks, or shared memory themselves.  The
 * tables in this file name all of them, and their order is the order in which
 * the server calls them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "tcop/utility.h"

#include "catalog/extension.h"
#include "compat.h"
#include "refresh/follow/apply_error.h"
#include "refresh/follow/slot_ledger.h"
#include "refresh/dispatch.h"
#include "refresh/launcher.h"
#include "settings.h"
#include "source/http/http_token.h"
#include "source/http/origin_limit.h"
#include "source/passfile.h"
#include "table/abort.h"
#include "table/storage.h"
#include "vector/vector_plan.h"
#include "vector/vector_scan.h"
#include "vector/vector_top.h"

PG_MODULE_MAGIC;

/* A file's part of the shared memory.  start is told whether the part is to be initialized. */
typedef struct SharedPart
{
	Size		(*size) (void);
	void		(*start) (void *memory, bool initialize);
} SharedPart;

static const SharedPart shared_parts[] = {
	{dispatch_shared_size, dispatch_shared_start},
	{apply_error_shared_size, apply_error_shared_start},
	{storage_shared_size, storage_shared_start},
	{origin_limit_shared_size, origin_limit_shared_start},
	{http_token_shared_size, http_token_shared_start},
};

static shmem_request_hook_type previous_request_hook;
static shmem_startup_hook_type previous_startup_hook;
static ProcessUtility_hook_type previous_utility_hook;
static create_upper_paths_hook_type previous_upper_paths_hook;

extern PGDLLEXPORT void _PG_init(void);

static Size
shared_size(void)
{
	Size		size = 0;

	for (size_t i = 0; i < lengthof(shared_parts); i++)
		size += MAXALIGN(shared_parts[i].size());
	return size;
}

static void
request_shared_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(shared_size());
}

static void
start_shared_memory(void)
{
	char	   *memory;
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	memory = ShmemInitStruct("spice", shared_size(), &found);
	for (size_t i = 0; i < lengthof(shared_parts); i++)
	{
		shared_parts[i].start(memory, !found);
		memory += MAXALIGN(shared_parts[i].size());
	}
	LWLockRelease(AddinShmemInitLock);
}

/*
 * The end of a transaction.  The log is flushed first, because the server
 * removes the files of an aborted transaction as soon as this returns.  The
 * launcher is woken last, when all else is done.
 */
static void
transaction_callback(XactEvent event, void *arg pg_attribute_unused())
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	abort_at_end(event);
	storage_at_end(event);
	passfile_at_end(event);
	dispatch_at_end(event);
}

static void
subtransaction_callback(SubXactEvent event, SubTransactionId id pg_attribute_unused(),
						SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	abort_at_subtransaction_end(event);
}

static bool
drops_extension(const DropStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->removeType == OBJECT_EXTENSION ? statement->objects : NIL)
	{
		if (strcmp(strVal(lfirst(cell)), "spice") == 0)
			return true;
	}
	return false;
}

/* the database that a statement wants without other sessions, or NULL */
static const char *
database_wanted_alone(const Node *statement)
{
	ListCell   *cell;

	if (IsA(statement, DropdbStmt))
		return ((const DropdbStmt *) statement)->dbname;
	if (IsA(statement, RenameStmt) && ((const RenameStmt *) statement)->renameType == OBJECT_DATABASE)
		return ((const RenameStmt *) statement)->subname;
	if (!IsA(statement, CreatedbStmt))
		return NULL;
	foreach(cell, ((const CreatedbStmt *) statement)->options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "template") == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return NULL;
}

/*
 * DROP, CREATE ... TEMPLATE and RENAME DATABASE have the launcher leave the
 * database.  DROP EXTENSION would delete the only record of the replication slots
 * that spice has on sources, so it is refused while there are any.
 */
static void
process_utility(PlannedStmt *statement, const char *text, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = previous_utility_hook ? previous_utility_hook : standard_ProcessUtility;
	const char *database = database_wanted_alone(statement->utilityStmt);

	if (database != NULL && context == PROCESS_UTILITY_TOPLEVEL && !IsTransactionBlock())
		launcher_leave_database(database);
	if (IsA(statement->utilityStmt, DropStmt) && drops_extension((DropStmt *) statement->utilityStmt) &&
		!RecoveryInProgress())
	{
		extension_check_droppable();
		ledger_refuse_loss();
	}
	next(statement, text, read_only_tree, context, params, environment, receiver, completion);
}

static void
upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra)
{
	if (previous_upper_paths_hook)
		previous_upper_paths_hook(root, stage, input, output, extra);
	vector_plan_upper_paths(root, stage, input, output, extra);
}

void
_PG_init(void)
{
	settings_define();
	RegisterCustomScanMethods(&vector_scan_methods);
	RegisterCustomScanMethods(&top_scan_methods);
	previous_upper_paths_hook = create_upper_paths_hook;
	create_upper_paths_hook = upper_paths;
	RegisterXactCallback(transaction_callback, NULL);
	RegisterSubXactCallback(subtransaction_callback, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;
	launcher_register();
	apply_error_install();
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_shared_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_shared_memory;
	previous_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}

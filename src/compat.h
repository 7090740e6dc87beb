/*-------------------------------------------------------------------------
 *
 * compat.h
 *		One shim per difference between PostgreSQL 15, 16, 17 and 18.
 *
 * Everything else is written for the newest server; what an older one spells
 * differently is spelt here, so that no other file asks for the version.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COMPAT_H
#define SPICE_COMPAT_H

#include "access/multixact.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "catalog/catalog.h"
#include "catalog/heap.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_subscription_rel.h"
#include "catalog/storage.h"
#include "commands/defrem.h"
#include "commands/vacuum.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/pathnode.h"
#include "parser/parse_type.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/smgr.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/guc_tables.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/relmapper.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

/* 17: asks for a lock mode, or a stronger one */
static inline bool
compat_lock_held(const LOCKTAG *tag, LOCKMODE mode)
{
#if PG_VERSION_NUM >= 170000
	return LockHeldByMe(tag, mode, false);
#else
	return LockHeldByMe(tag, mode);
#endif
}

/*
 * 17: a wait event set belongs to a resource owner (none: to the process)
 * instead of a memory context.  Ours is freed by hand on every version.
 */
static inline WaitEventSet *
spice_create_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/* 17: an extension's wait events have names */
static inline uint32
spice_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	(void) name;
	return PG_WAIT_EXTENSION;
#endif
}

/* 18: EXPLAIN's state and its output functions moved */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#else
#include "commands/explain.h"
#endif

/* 18: pg_noreturn stands before a declaration, pg_attribute_noreturn is gone */
#if PG_VERSION_NUM < 180000 && !defined(pg_noreturn)
#define pg_noreturn _Noreturn
#endif

/* 16: a build of partitions takes part in the argument list */
static inline Oid
compat_define_index(Oid relation, IndexStmt *statement, Oid number, bool skip_build)
{
#if PG_VERSION_NUM >= 160000
	return DefineIndex(relation, statement, number, InvalidOid, InvalidOid, -1,
					   false, false, false, skip_build, true).objectId;
#else
	return DefineIndex(relation, statement, number, InvalidOid, InvalidOid,
					   false, false, false, skip_build, true).objectId;
#endif
}

/* 17: clauses of joins; 18: disabled nodes */
static inline ForeignPath *
compat_create_foreignscan_path(PlannerInfo *root, RelOptInfo *rel, double rows,
							   Cost startup, Cost total)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, NULL, rows, 0, startup, total, NIL,
								   rel->lateral_relids, NULL, NIL, NIL);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows, startup, total, NIL,
								   rel->lateral_relids, NULL, NIL, NIL);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup, total, NIL,
								   rel->lateral_relids, NULL, NIL);
#endif
}

/* 18: pages that are all frozen are counted, too; ours are both or neither */
static inline void
compat_update_relstats(Relation relation, double rows)
{
	BlockNumber visible;

	visibilitymap_count(relation, &visible, NULL);
	vac_update_relstats(relation, RelationGetNumberOfBlocks(relation), rows, visible,
#if PG_VERSION_NUM >= 180000
						visible,
#endif
						relation->rd_rel->relhasindex, InvalidTransactionId, InvalidMultiXactId,
						NULL, NULL, true);
}

/* 18: a plan runs once unless told otherwise */
static inline void
compat_executor_run(QueryDesc *query)
{
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

/* 18: constraints that are not enforced */
static inline bool
compat_check_is_enforced(const ConstrCheck *check)
{
#if PG_VERSION_NUM >= 180000
	return check->ccenforced;
#else
	(void) check;
	return true;
#endif
}

/* 18: pg_class counts frozen pages */
static inline void
compat_swap_allfrozen(Form_pg_class a, Form_pg_class b)
{
#if PG_VERSION_NUM >= 180000
	int32		pages = a->relallfrozen;

	a->relallfrozen = b->relallfrozen;
	b->relallfrozen = pages;
#else
	(void) a;
	(void) b;
#endif
}

/*
 * After a swap of storage between two relations: the relation cache knows in
 * which subtransaction each one's storage was made.  16: filenode became
 * filelocator.  Before 17 the storage manager's links are closed by hand.
 */
static inline void
compat_swap_storage_subids(Relation a, Relation b)
{
	b->rd_createSubid = a->rd_createSubid;
#if PG_VERSION_NUM >= 160000
	b->rd_newRelfilelocatorSubid = a->rd_newRelfilelocatorSubid;
	b->rd_firstRelfilelocatorSubid = a->rd_firstRelfilelocatorSubid;
	RelationAssumeNewRelfilelocator(a);
#else
	b->rd_newRelfilenodeSubid = a->rd_newRelfilenodeSubid;
	b->rd_firstRelfilenodeSubid = a->rd_firstRelfilenodeSubid;
	RelationAssumeNewRelfilenode(a);
#endif
#if PG_VERSION_NUM < 170000
	RelationCloseSmgr(a);
	RelationCloseSmgr(b);
#endif
}

/* 17: another name.  The OIDs that are free, and that the log says have been given out; none when they wrap around */
static inline void
compat_logged_oids(Oid *first, Oid *end)
{
	LWLockAcquire(OidGenLock, LW_SHARED);
#if PG_VERSION_NUM >= 170000
	*first = TransamVariables->nextOid;
	*end = *first + TransamVariables->oidCount;
#else
	*first = ShmemVariableCache->nextOid;
	*end = *first + ShmemVariableCache->oidCount;
#endif
	LWLockRelease(OidGenLock);
	if (*end < *first)
		*end = *first;
}

/* 16: filenode became filenumber */
static inline Oid
compat_new_filenumber(Oid tablespace, Relation pg_class, char persistence)
{
#if PG_VERSION_NUM >= 160000
	return GetNewRelFileNumber(tablespace, pg_class, persistence);
#else
	return GetNewRelFileNode(tablespace, pg_class, persistence);
#endif
}

/* 16: the same */
static inline Oid
compat_mapped_filenumber(Oid relation, bool shared)
{
#if PG_VERSION_NUM >= 160000
	return RelationMapOidToFilenumber(relation, shared);
#else
	return RelationMapOidToFilenode(relation, shared);
#endif
}

/* 16: the same; 17: no process has another name */
static inline SMgrRelation
compat_smgr_open(Oid tablespace, Oid database, Oid number)
{
#if PG_VERSION_NUM >= 170000
	return smgropen((RelFileLocator) {tablespace, database, number}, INVALID_PROC_NUMBER);
#elif PG_VERSION_NUM >= 160000
	return smgropen((RelFileLocator) {tablespace, database, number}, InvalidBackendId);
#else
	return smgropen((RelFileNode) {tablespace, database, number}, InvalidBackendId);
#endif
}

/*
 * At the commit.  The server's function takes a relation, but of it no more than
 * where its files are.
 */
static inline void
compat_drop_files(Oid tablespace, Oid database, Oid number)
{
	SMgrRelation storage = compat_smgr_open(tablespace, database, number);
	RelationData relation = {0};

#if PG_VERSION_NUM >= 160000
	relation.rd_locator = storage->smgr_rlocator.locator;
	relation.rd_backend = storage->smgr_rlocator.backend;
#else
	relation.rd_node = storage->smgr_rnode.node;
	relation.rd_backend = storage->smgr_rnode.backend;
#endif
	RelationDropStorage(&relation);
}

/*
 * 17: core writes the pages of new storage past shared buffers, in bulk.  Before, a
 * page is logged and appended as CLUSTER does it.
 */
#if PG_VERSION_NUM >= 170000
#include "storage/bulk_write.h"
#else
typedef PGAlignedBlock *BulkWriteBuffer;

typedef struct BulkWriteState
{
	Relation	relation;
	ForkNumber	fork;
	PGAlignedBlock page;
} BulkWriteState;

static inline BulkWriteState *
smgr_bulk_start_rel(Relation relation, ForkNumber fork)
{
	BulkWriteState *state = palloc(sizeof(BulkWriteState));

	state->relation = relation;
	state->fork = fork;
	return state;
}

/* one at a time, until it is written */
static inline BulkWriteBuffer
smgr_bulk_get_buf(BulkWriteState *state)
{
	return &state->page;
}

static inline void
smgr_bulk_write(BulkWriteState *state, BlockNumber block, BulkWriteBuffer buffer, bool page_std)
{
	SMgrRelation storage = RelationGetSmgr(state->relation);
	Page		page = (Page) buffer;

	/*
	 * A checkpoint must not begin behind the image in the log and end before the request to sync
	 * the page: recovery would start behind the image.
	 */
	MyProc->delayChkptFlags |= DELAY_CHKPT_START;
	PG_TRY();
	{
		if (RelationNeedsWAL(state->relation))
#if PG_VERSION_NUM >= 160000
			log_newpage(&state->relation->rd_locator, state->fork, block, page, page_std);
#else
			log_newpage(&state->relation->rd_node, state->fork, block, page, page_std);
#endif
		PageSetChecksumInplace(page, block);
		smgrextend(storage, state->fork, block, (char *) page, false);
	}
	PG_FINALLY();
	{
		/* the end of a subtransaction does not do it */
		MyProc->delayChkptFlags &= ~DELAY_CHKPT_START;
	}
	PG_END_TRY();
}

static inline void
smgr_bulk_finish(BulkWriteState *state)
{
	pfree(state);
}
#endif

/* 16: one function checks the ownership of any object */
static inline bool
compat_owns_database(Oid database)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
	return pg_database_ownercheck(database, GetUserId());
#endif
}

static inline bool
compat_owns_extension(Oid extension)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ExtensionRelationId, extension, GetUserId());
#else
	return pg_extension_ownercheck(extension, GetUserId());
#endif
}

/* 16: a setting's record can be asked for by its name */
static inline GucSource
compat_reset_source(const char *name)
{
#if PG_VERSION_NUM >= 160000
	return find_option(name, false, false, ERROR)->reset_source;
#else
	struct config_generic **settings = get_guc_variables();

	for (int i = 0; i < GetNumConfigOptions(); i++)
	{
		if (pg_strcasecmp(settings[i]->name, name) == 0)
			return settings[i]->reset_source;
	}
	elog(ERROR, "unrecognized configuration parameter \"%s\"", name);
#endif
}

/* 16: soft errors */
static inline void
compat_parse_type(const char *text, Oid *type, int32 *typmod)
{
#if PG_VERSION_NUM >= 160000
	(void) parseTypeString(text, type, typmod, NULL);
#else
	parseTypeString(text, type, typmod, false);
#endif
}

/* 16: one function checks the rights on any object */
static inline bool
compat_may_use_schema(Oid schema, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/* 17: the lock on the subscription may outlast the call */
static inline void
compat_add_subscription_table(Oid subscription, Oid table)
{
#if PG_VERSION_NUM >= 170000
	AddSubscriptionRelState(subscription, table, SUBREL_STATE_READY, InvalidXLogRecPtr, true);
#else
	AddSubscriptionRelState(subscription, table, SUBREL_STATE_READY, InvalidXLogRecPtr);
#endif
}

/* 18: RETURNING has options */
static inline bool
compat_has_returning(const DeleteStmt *statement)
{
#if PG_VERSION_NUM >= 180000
	return statement->returningClause != NULL;
#else
	return statement->returningList != NIL;
#endif
}

/* 16: an update may concern indexes that summarize alone */
static inline TM_Result
compat_tuple_update(Relation relation, ItemPointer place, TupleTableSlot *slot, Snapshot snapshot,
					bool *any_index, bool *only_summarizing)
{
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	result;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes indexes;

	result = table_tuple_update(relation, place, slot, GetCurrentCommandId(true), snapshot,
								InvalidSnapshot, true, &failure, &mode, &indexes);
	*any_index = indexes != TU_None;
	*only_summarizing = indexes == TU_Summarizing;
#else
	result = table_tuple_update(relation, place, slot, GetCurrentCommandId(true), snapshot,
								InvalidSnapshot, true, &failure, &mode, any_index);
	*only_summarizing = false;
#endif
	return result;
}

/* 16: the same */
static inline void
compat_insert_index_tuples(ResultRelInfo *result, TupleTableSlot *slot, EState *estate,
						   bool only_summarizing)
{
#if PG_VERSION_NUM >= 160000
	(void) ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL, only_summarizing);
#else
	(void) only_summarizing;
	(void) ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL);
#endif
}

/* 17: BackendIdGetProc() became ProcNumberGetProc() */
#if PG_VERSION_NUM < 170000
#include "storage/sinvaladt.h"
#endif

/* 17: virtual transactions are those of a process number.  Its process id if it is autovacuum's, else 0 */
static inline int
compat_autovacuum_pid(VirtualTransactionId holder)
{
#if PG_VERSION_NUM >= 170000
	PGPROC	   *process = ProcNumberGetProc(holder.procNumber);
#else
	PGPROC	   *process = BackendIdGetProc(holder.backendId);
#endif
	int			pid = 0;

	if (process == NULL)
		return 0;
	LWLockAcquire(ProcArrayLock, LW_SHARED);
	if ((process->statusFlags & (PROC_IS_AUTOVACUUM | PROC_VACUUM_FOR_WRAPAROUND)) == PROC_IS_AUTOVACUUM)
		pid = process->pid;
	LWLockRelease(ProcArrayLock);
	return pid;
}

/* 18: ANALYZE may delay, too */
static inline void
compat_vacuum_delay_point(void)
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();
#endif
}

/* 16: one function checks the ownership of any object */
static inline bool
compat_owns_relation(Oid relation)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relation, GetUserId());
#else
	return pg_class_ownercheck(relation, GetUserId());
#endif
}

/* 18: NOT NULL is a constraint in the catalog, too; nothing is scanned */
static inline void
compat_add_not_null(Oid table, const char *column)
{
#if PG_VERSION_NUM >= 180000
	Relation	relation = table_open(table, NoLock);

	(void) AddRelationNewConstraints(relation, NIL,
									 list_make1(makeNotNullConstraint(makeString(pstrdup(column)))),
									 false, true, true, NULL);
	table_close(relation, NoLock);
#else
	(void) table;
	(void) column;
#endif
}

/* 17: no snapshot is too old */
static inline void
compat_test_for_old_snapshot(Snapshot snapshot, Relation relation, Page page)
{
#if PG_VERSION_NUM < 170000
	TestForOldSnapshot(snapshot, relation, page);
#else
	(void) snapshot;
	(void) relation;
	(void) page;
#endif
}

/* 16: one function for all classes of objects.  What the executor does before it calls a function */
static inline void
compat_check_execute(Oid function, ObjectType type)
{
#if PG_VERSION_NUM >= 160000
	AclResult	result = object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE);
#else
	AclResult	result = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);
#endif

	if (result != ACLCHECK_OK)
		aclcheck_error(result, type, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

/* 18: a generated column may have no stored values */
static inline bool
compat_is_virtual(Form_pg_attribute attribute)
{
#if PG_VERSION_NUM >= 180000
	return attribute->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
	(void) attribute;
	return false;
#endif
}

#endif

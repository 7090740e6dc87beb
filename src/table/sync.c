/*-------------------------------------------------------------------------
 *
 * sync.c
 *		Syncs the storage of a new heap before the commit would have to.
 *
 * With wal_level minimal new storage is not logged but synced to disk by the
 * commit, which holds the table's lock.  Syncing it earlier leaves little to do
 * under the lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "table/sync.h"

/* The commit would sync storage that is not logged, as with wal_level minimal. */
static void
sync_relation(Oid oid)
{
	Relation	relation = relation_open(oid, AccessShareLock);

	if (relation->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT && !RelationNeedsWAL(relation))
	{
		FlushRelationBuffers(relation);
		for (ForkNumber fork = 0; fork <= MAX_FORKNUM; fork++)
		{
			if (smgrexists(RelationGetSmgr(relation), fork))
				smgrimmedsync(RelationGetSmgr(relation), fork);
		}
	}
	relation_close(relation, NoLock);
}

void
sync_storage(Oid heap)
{
	Relation	relation = relation_open(heap, AccessShareLock);
	List	   *indexes = RelationGetIndexList(relation);
	Oid			toast = relation->rd_rel->reltoastrelid;
	ListCell   *cell;

	relation_close(relation, NoLock);
	sync_relation(heap);
	foreach(cell, indexes)
		sync_relation(lfirst_oid(cell));
	if (OidIsValid(toast))
		sync_storage(toast);
}

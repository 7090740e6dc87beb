/*-------------------------------------------------------------------------
 *
 * table.h
 *		The accelerated table: created once, then rebuilt beside itself and
 *		swapped, refresh after refresh.
 *
 * A rebuild goes through these calls, in this order, in one transaction:
 *
 *		table_find | table_create
 *		build_begin				plan the new shape, create the new heap; without
 *								may_alter another shape is refused
 *		build_receiver			rows of the refresh query go into it
 *		build_indexes			of the new heap
 *		build_settle_toast		a TOAST table, if none of the table's can stay
 *		build_statistics		for the planner
 *		build_sync				makes durable what the commit would otherwise have to; meanwhile
 *		build_swap				the table takes over its storage
 *
 * All but the last leave the table itself without any lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TABLE_H
#define SPICE_TABLE_H

#include "access/tupdesc.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "utils/rel.h"

#include "catalog/dataset.h"

/* an index of the new heap, and the one of the table whose storage it becomes */
typedef struct IndexBuild
{
	Oid			old_index;		/* InvalidOid: the table is to get it */
	char	   *name;			/* of old_index */
	Oid			new_index;
	Oid			new_number;		/* of its storage, which is noted; its OID, too */
	Oid			table_number;	/* the same, of one that the table is to get */
	const DatasetIndex *definition; /* of an index the table is to get */
} IndexBuild;

/* what became of the rows that were merged, and of the table's */
typedef struct MergeCounts
{
	int64		inserted;
	int64		updated;
	int64		unchanged;
	int64		dropped;		/* gave way to another row of the same key */
	int64		deleted;		/* the whole new version does not have them */
} MergeCounts;

/* abort.c: to be called before the transaction makes storage */
extern void abort_durably(void);

/* makes durable what the log has so far */
extern void flush_log(void);

/*
 * storage.c: numbers (and OIDs) for relations that are about to be made, noted
 * so that no crash leaves their files for good; and the same for a table that a
 * command has made already, with its TOAST table.  Both until the transaction ends.
 */
extern void storage_draw(Oid tablespace, char persistence, Oid *numbers, int n);
extern void storage_note(Oid table);

/* removes what a crash has left in this database; false: it has to be tried again */
extern bool storage_sweep(void);
extern Size storage_shared_size(void);
extern void storage_start(void);

/* sample.c: rows picked while they are loaded */
typedef struct TableSample TableSample;

typedef struct TableBuild
{
	const Dataset *dataset;
	Oid			table;
	Oid			heap;			/* the new one */
	TupleDesc	table_desc;		/* as the table was when the build began */
	TupleDesc	desc;			/* of the new heap: the table's, after the change of shape */
	AttrNumber *attnums;		/* where each column of the result goes */
	int			n_result;
	bool	   *notnull;		/* by attribute of desc */
	bool		same_shape;
	bool		apart;			/* the heap never becomes the table's storage */
	bool		published;		/* the table was, when the build began */
	List	   *drop_columns;	/* names */
	List	   *old_indexes;	/* OIDs, as they were when the build began */
	List	   *drop_indexes;	/* OIDs: their entries have left the manifest */
	List	   *indexes;		/* of IndexBuild * */
	int			heaps;			/* made so far, less one */
	Oid			toast_number;	/* of the files, should the heap get a TOAST table */
	Oid			toast_index_number;
	int64		rows;
	bool		sampled;		/* pick rows while loading */
	TableSample *sample;		/* of the rows in heap; NULL unless sampled */
	HeapTuple  *statistics;		/* of a sample, by attribute of desc; NULL: none, or they are the
								 * heap's in the catalog */
} TableBuild;

/* refuses what is not spice's; InvalidOid when the name is free */
extern Oid	table_find(const Dataset *dataset);
extern Oid	table_create(const Dataset *dataset, TupleDesc result, Oid owner);

/* apart: its rows will be merged, and need not outlive a crash or be sent to standbys */
extern TableBuild *build_begin(const Dataset *dataset, Oid table, TupleDesc result, bool may_alter,
							   bool apart);

/*
 * A TOAST table with its index costs more than a small heap does, so the heap gets one
 * when the first of its values needs it.  Where nothing can be made then, as in parallel
 * mode, it is to be made before; nothing happens if there is one.
 */
extern void build_add_toast(TableBuild *build);
extern DestReceiver *build_receiver(TableBuild *build);
extern void build_indexes(TableBuild *build);

/* meanwhile: what else there is to do, once, beside a process that helps if there is one */
typedef void (*Meanwhile) (const TableBuild *build, void *arg);
extern void build_settle_toast(TableBuild *build);
extern void build_statistics(TableBuild *build, Meanwhile meanwhile, void *arg);

/* under the lock of the swap: those of build->statistics become the table's */
extern void build_hand_over_statistics(const TableBuild *build);
extern void build_sync(const TableBuild *build);

/* is its new storage synced to disk instead of logged (wal_level minimal)? */
extern bool synced_by_commit(Relation relation);
extern void build_swap(TableBuild *build);

/* raises an error if the table was dropped or altered; keeps the lock it takes */
extern void build_check_table(const TableBuild *build, LOCKMODE lockmode);

/*
 * Instead of build_indexes and build_swap: the rows of the new heap are news,
 * and go into the table, whose columns are altered first if need be.
 * condition: on the table's rows (alias q), those which the news may repeat.
 * build_merge drops the heap.
 */
extern void build_alter(TableBuild *build);
extern MergeCounts build_merge(TableBuild *build, const char *condition);

/*
 * merge_whole.c: instead of all that, for a heap that was built apart: the table
 * becomes what the heap is by changes of rows, which logical replication sees.
 */
extern MergeCounts build_merge_whole(TableBuild *build);
extern bool table_is_published(Oid table);

/* is it published in a way that lets rows be added, but not be changed or deleted? */
extern bool table_lacks_identity(Oid table);

/* swap.c: what of a new definition had to wait for the rows that it is about */
extern void build_settle(TableBuild *build);

/*
 * Before build_indexes: if the heap has several rows of a key, a query for
 * those that win; NULL if it has not.  Its rows belong into build_again().
 */
extern char *build_winners(const TableBuild *build, const DatasetConflict *conflict);
extern Oid	build_again(TableBuild *build);
extern void build_drop(Oid heap);

/*
 * standin.c: until its first load a table reads its source, on_registration.
 * table_stand_down needs the table's AccessExclusiveLock.
 */
extern bool table_has_stand_in(const Dataset *dataset);
extern void table_stand_in(const Dataset *dataset);
extern void table_stand_down(const Dataset *dataset);

/* are the rows that were loaded gone (a crash empties unlogged tables)? */
extern bool table_lost_its_rows(const Dataset *dataset);

/* has anybody put CHECK constraints on it?  InvalidOid: no */
extern bool table_has_checks(Oid table);

/* descriptions of the manifest become comments */
extern void table_comment(const Dataset *dataset, Oid relation);

/* build.c: name, type and collation, as DDL has it */
extern char *column_definition(Form_pg_attribute attribute);

/* what a table must not be or have, because a swap would pass over it */
extern void refuse_unswappable(Relation table, const Dataset *dataset);

/* how large a sample the statistics want, in the unit of default_statistics_target */
extern int	build_statistics_target(const TableBuild *build);

/*
 * sample.c: rows that are picked while all are loaded.  NULL never serves.  When
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

/* index.c: ANALYZE */
extern void analyze_relation(Oid relation);

/* index.c: between the build and the swap */
extern void index_plan(TableBuild *build, Relation table);
extern void index_create_on_table(IndexBuild *index, Oid table, bool skip_build);

#endif

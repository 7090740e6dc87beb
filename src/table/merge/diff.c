/*-------------------------------------------------------------------------
 *
 * diff.c
 *		Which rows of the table its new version does not have, and which the
 *		table lacks.
 *
 * A join of a million rows with a million would carry every column of every
 * row through its hash table.  Here a row is two numbers of 64 bits and its
 * place: most rows are the same in both, and of those nothing else is ever
 * looked at.  Rows are told apart by the bytes they are stored as, so no type
 * needs an equality, null is a value like any other, and 1.0 is not 1.00.
 *
 *		with a key		key: hash of the key's columns; content: of the row
 *		without one		both are hashes of the row, with different seeds; a row
 *						that is there several times is there several times
 *
 * Each refresh draws its seeds, so that a source cannot send two rows that are
 * taken for one.  Memory is bounded by maintenance_work_mem: if the numbers of all
 * rows would not fit, they are first divided by key into files, and the files are
 * joined pair by pair.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "port/pg_bitutils.h"
#include "storage/buffile.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "table/merge/diff.h"

#define MAX_PARTITIONS	256
#define NO_ENTRY			PG_UINT32_MAX
#define PLACES_AT_ONCE	1000

/* a row, as far as it is remembered */
typedef struct RowMark
{
	uint64		key;
	uint64		content;
	ItemPointerData place;
	bool		paired;			/* the news have it, or its key */
	uint32		next;			/* of the same bucket */
} RowMark;

/* the rows of one of the two, divided by key */
typedef struct Side
{
	BufFile    *files[MAX_PARTITIONS];
	int64		counts[MAX_PARTITIONS];
	int64		rows;
} Side;

typedef struct Diff
{
	const DiffRows *table;
	const DiffRows *news;
	Snapshot	snapshot;
	const DiffReceiver *receiver;
	Bitmapset  *key;			/* columns, NULL: rows have no key */
	uint64		seeds[2];
	int			n_partitions;
	Side		old_rows;
	Side		new_rows;
	BufFile    *fresh;			/* places */
	int64		n_fresh;
	int64		same;
	Datum	   *values;			/* of one row */
	bool	   *nulls;
	MemoryContext row_context;
	MemoryContext partition_context;
} Diff;

/* ------- a row as numbers ------- */

static inline bool
is_toasted(Form_pg_attribute attribute, Datum value)
{
	return attribute->attlen == -1 &&
		(VARATT_IS_EXTERNAL(DatumGetPointer(value)) || VARATT_IS_COMPRESSED(DatumGetPointer(value)));
}

/* would heap_form_tuple() make the very same bytes of its values? */
static bool
is_canonical(HeapTuple tuple, TupleDesc desc, const Datum *values, const bool *nulls)
{
	if (HeapTupleHeaderGetNatts(tuple->t_data) != desc->natts)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!nulls[i] && (attribute->attisdropped || is_toasted(attribute, values[i])))
			return false;
	}
	return true;
}

/* the row as if nothing had ever been dropped, added or toasted */
static HeapTuple
make_canonical(TupleDesc desc, Datum *values, bool *nulls)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			nulls[i] = true;
		else if (!nulls[i] && is_toasted(attribute, values[i]))
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	}
	return heap_form_tuple(desc, values, nulls);
}

static uint64
hash_bytes_of(const void *data, Size length, uint64 seed)
{
	return hash_bytes_extended(data, (int) length, seed);
}

static uint64
hash_row(HeapTuple tuple, uint64 seed)
{
	HeapTupleHeader header = tuple->t_data;

	if (header->t_infomask & HEAP_HASNULL)
		seed = hash_bytes_of(header->t_bits, BITMAPLEN(HeapTupleHeaderGetNatts(header)), seed);
	return hash_bytes_of((char *) header + header->t_hoff, tuple->t_len - header->t_hoff, seed);
}

static uint64
hash_value(Form_pg_attribute attribute, Datum value, uint64 seed)
{
	struct varlena *flat;

	if (attribute->attbyval)
		return hash_bytes_of(&value, sizeof(value), seed);
	if (attribute->attlen > 0)
		return hash_bytes_of(DatumGetPointer(value), attribute->attlen, seed);
	if (attribute->attlen == -2)
		return hash_bytes_of(DatumGetCString(value), strlen(DatumGetCString(value)), seed);
	flat = PG_DETOAST_DATUM_PACKED(value);
	return hash_bytes_of(VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), seed);
}

static uint64
hash_key(const Diff *diff, TupleDesc desc)
{
	uint64		hash = diff->seeds[1];
	int			member = -1;

	while ((member = bms_next_member(diff->key, member)) >= 0)
	{
		int			i = member + FirstLowInvalidHeapAttributeNumber - 1;

		/* a key of replica identity has no nulls either, by definition */
		if (!diff->nulls[i])
			hash = hash_value(TupleDescAttr(desc, i), diff->values[i], hash);
	}
	return hash;
}

static RowMark
mark_row(Diff *diff, TupleDesc desc, HeapTuple tuple)
{
	RowMark		mark = {.place = tuple->t_self};

	heap_deform_tuple(tuple, desc, diff->values, diff->nulls);
	if (!is_canonical(tuple, desc, diff->values, diff->nulls))
		tuple = make_canonical(desc, diff->values, diff->nulls);
	mark.content = hash_row(tuple, diff->seeds[0]);
	mark.key = diff->key != NULL ? hash_key(diff, desc) : hash_row(tuple, diff->seeds[1]);
	return mark;
}

/* ------- through files ------- */

static void
read_exactly(BufFile *file, void *data, Size size)
{
	if (BufFileRead(file, data, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read a temporary file of a merge")));
}

static void
rewind_file(BufFile *file)
{
	if (BufFileSeek(file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file of a merge")));
}

static void
put_mark(Diff *diff, Side *side, RowMark *mark)
{
	/* buckets go by the lower bits */
	int			partition = (int) ((mark->key >> 32) % diff->n_partitions);

	BufFileWrite(side->files[partition], mark, sizeof(RowMark));
	side->counts[partition]++;
	side->rows++;
}

static void
put_fresh(Diff *diff, ItemPointer place)
{
	BufFileWrite(diff->fresh, place, sizeof(ItemPointerData));
	diff->n_fresh++;
}

/* side NULL: the row is fresh */
static void
put_row(Diff *diff, TupleTableSlot *slot, Side *side)
{
	MemoryContext old = MemoryContextSwitchTo(diff->row_context);

	CHECK_FOR_INTERRUPTS();
	if (side == NULL)
		put_fresh(diff, &slot->tts_tid);
	else
	{
		bool		should_free;
		RowMark		mark = mark_row(diff, slot->tts_tupleDescriptor,
									ExecFetchSlotHeapTuple(slot, false, &should_free));

		put_mark(diff, side, &mark);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(diff->row_context);
}

static void
scan_all(Diff *diff, Relation relation, TupleTableSlot *slot, Side *side)
{
	/* not where another scan of the table is: rows shall come in their order */
	TableScanDesc scan = table_beginscan_strat(relation, diff->snapshot, 0, NULL, true, false);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		put_row(diff, slot, side);
	table_endscan(scan);
}

static void
scan_places(Diff *diff, const DiffRows *rows, TupleTableSlot *slot, Side *side)
{
	Portal		portal;
	SPIPlanPtr	plan;

	SPI_connect();
	plan = SPI_prepare(rows->places, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query for rows to compare");
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (SPI_cursor_fetch(portal, true, PLACES_AT_ONCE); SPI_processed > 0;
		 SPI_cursor_fetch(portal, true, PLACES_AT_ONCE))
	{
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool		isnull;
			Datum		place = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

			if (table_tuple_fetch_row_version(rows->relation, (ItemPointer) DatumGetPointer(place),
											  diff->snapshot, slot))
				put_row(diff, slot, side);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
}

static void
scan_rows(Diff *diff, const DiffRows *rows, Side *side)
{
	TupleTableSlot *slot = table_slot_create(rows->relation, NULL);

	if (rows->places != NULL)
		scan_places(diff, rows, slot, side);
	else
		scan_all(diff, rows->relation, slot, side);
	ExecDropSingleTupleTableSlot(slot);
}

/* ------- pairs ------- */

typedef struct Partition
{
	RowMark    *rows;			/* of the table */
	uint32		n_rows;
	uint32	   *buckets;
	uint32		mask;
} Partition;

static void
read_partition(Diff *diff, int number, Partition *partition)
{
	BufFile    *file = diff->old_rows.files[number];
	int64		n_rows = diff->old_rows.counts[number];

	if (n_rows >= NO_ENTRY / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows to merge")));
	partition->n_rows = (uint32) n_rows;
	partition->mask = pg_nextpower2_32(Max(partition->n_rows, 1)) - 1;
	partition->rows = MemoryContextAllocHuge(diff->partition_context,
											 Max(n_rows, 1) * sizeof(RowMark));
	partition->buckets = MemoryContextAllocHuge(diff->partition_context,
												((Size) partition->mask + 1) * sizeof(uint32));
	memset(partition->buckets, 0xff, ((Size) partition->mask + 1) * sizeof(uint32));
	rewind_file(file);
	for (uint32 i = 0; i < partition->n_rows; i++)
	{
		RowMark    *row = &partition->rows[i];
		uint32	   *bucket;

		read_exactly(file, row, sizeof(RowMark));
		bucket = &partition->buckets[row->key & partition->mask];
		row->next = *bucket;
		*bucket = i;
	}
}

/*
 * The row of the table that is this one, or else one of the same key; it
 * leaves its bucket, so that copies of one row are not gone through again and
 * again.
 */
static RowMark *
take_pair(Partition *partition, const RowMark *mark)
{
	uint32	   *found = NULL;
	RowMark    *row;

	for (uint32 *link = &partition->buckets[mark->key & partition->mask]; *link != NO_ENTRY;
		 link = &partition->rows[*link].next)
	{
		row = &partition->rows[*link];
		if (row->key != mark->key)
			continue;
		if (found == NULL || row->content == mark->content)
			found = link;
		if (row->content == mark->content)
			break;
	}
	if (found == NULL)
		return NULL;
	row = &partition->rows[*found];
	*found = row->next;
	row->paired = true;
	return row;
}

static void
pair_row(Diff *diff, Partition *partition, RowMark *mark)
{
	RowMark    *pair = take_pair(partition, mark);

	if (pair != NULL && pair->content == mark->content)
		diff->same++;
	else if (pair == NULL ||
			 !diff->receiver->changed(diff->receiver->arg, &pair->place, &mark->place))
		put_fresh(diff, &mark->place);
}

/* in the order in which they are stored: bucket order would jump from page to page */
static void
tell_gone(const Diff *diff, Partition *partition)
{
	for (uint32 i = 0; i < partition->n_rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!partition->rows[i].paired)
			diff->receiver->gone(diff->receiver->arg, &partition->rows[i].place);
	}
}

static void
compare_partition(Diff *diff, int number)
{
	Partition	partition;
	BufFile    *file = diff->new_rows.files[number];

	read_partition(diff, number, &partition);
	rewind_file(file);
	for (int64 i = 0; i < diff->new_rows.counts[number]; i++)
	{
		RowMark		mark;

		CHECK_FOR_INTERRUPTS();
		read_exactly(file, &mark, sizeof(mark));
		pair_row(diff, &partition, &mark);
	}
	tell_gone(diff, &partition);
	MemoryContextReset(diff->partition_context);
}

static void
tell_fresh(Diff *diff)
{
	rewind_file(diff->fresh);
	for (int64 i = 0; i < diff->n_fresh; i++)
	{
		ItemPointerData place;

		CHECK_FOR_INTERRUPTS();
		read_exactly(diff->fresh, &place, sizeof(place));
		diff->receiver->fresh(diff->receiver->arg, &place);
	}
}

/* the primary key, or what stands in for it before subscribers */
static Bitmapset *
key_columns(Relation table)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(table, INDEX_ATTR_BITMAP_PRIMARY_KEY);

	return key != NULL ? key : RelationGetIndexAttrBitmap(table, INDEX_ATTR_BITMAP_IDENTITY_KEY);
}

/* so many that a partition of the table's rows fits into memory */
static int
count_partitions(Relation table)
{
	double		room = maintenance_work_mem * 1024.0 / (sizeof(RowMark) + 2 * sizeof(uint32));
	BlockNumber pages;
	double		rows;
	double		visible;

	table_relation_estimate_size(table, NULL, &pages, &rows, &visible);
	return (int) Min(MAX_PARTITIONS, 1 + rows / room);
}

static void
open_files(const Diff *diff, Side *side)
{
	for (int i = 0; i < diff->n_partitions; i++)
		side->files[i] = BufFileCreateTemp(false);
}

static void
close_files(const Diff *diff, Side *side)
{
	for (int i = 0; i < diff->n_partitions; i++)
		BufFileClose(side->files[i]);
}

static void
begin_diff(Diff *diff, bool keyed)
{
	Relation	table = diff->table->relation;
	int			natts = RelationGetNumberOfAttributes(table);

	if (keyed)
		diff->key = key_columns(table);
	for (int i = 0; i < 2; i++)
		diff->seeds[i] = pg_prng_uint64(&pg_global_prng_state);
	diff->n_partitions = count_partitions(table);
	open_files(diff, &diff->old_rows);
	open_files(diff, &diff->new_rows);
	diff->fresh = BufFileCreateTemp(false);
	diff->values = palloc(sizeof(Datum) * natts);
	diff->nulls = palloc(sizeof(bool) * natts);
	diff->row_context = AllocSetContextCreate(CurrentMemoryContext, "spice diff row",
											  ALLOCSET_DEFAULT_SIZES);
	diff->partition_context = AllocSetContextCreate(CurrentMemoryContext, "spice diff partition",
													ALLOCSET_DEFAULT_SIZES);
}

static void
end_diff(Diff *diff)
{
	close_files(diff, &diff->old_rows);
	close_files(diff, &diff->new_rows);
	BufFileClose(diff->fresh);
	MemoryContextDelete(diff->row_context);
	MemoryContextDelete(diff->partition_context);
}

int64
diff_run(const DiffRows *table, const DiffRows *news, bool keyed, Snapshot snapshot,
		 const DiffReceiver *receiver, bool *was_empty)
{
	Diff	   *diff = palloc0(sizeof(Diff));

	diff->table = table;
	diff->news = news;
	diff->snapshot = snapshot;
	diff->receiver = receiver;
	begin_diff(diff, keyed);
	scan_rows(diff, table, &diff->old_rows);
	*was_empty = diff->old_rows.rows == 0;
	scan_rows(diff, news, *was_empty ? NULL : &diff->new_rows);
	for (int i = 0; i < diff->n_partitions && !*was_empty; i++)
		compare_partition(diff, i);
	tell_fresh(diff);
	end_diff(diff);
	return diff->same;
}

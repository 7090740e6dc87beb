/*-------------------------------------------------------------------------
 *
 * fdw.c
 *		Foreign data wrapper spice: a dataset's source as a foreign table.
 *
 * A refresh is a query over this foreign table.  It has fetched the response
 * beforehand, without a transaction, and offers the spool.  The scan of any other
 * query fetches the response itself, for its first row.  In both cases the
 * records stream from the spool through one reader, which keeps no row longer
 * than until the next one, and a rescan reads the same bytes again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "catalog/dataset_row.h"
#include "compat.h"
#include "source/field_name.h"
#include "source/foreign_option.h"
#include "source/scan/bounds.h"
#include "source/scan/offer.h"
#include "secret/redact.h"
#include "source/scan/reader_process.h"
#include "source/scan/records.h"
#include "source/scan/scan.h"
#include "source/source.h"

#define DEFAULT_ROWS	1000	/* estimate for a source that was never loaded */
#define CPU_PER_RECORD	(50 * cpu_operator_cost)

PG_FUNCTION_INFO_V1(spice_fdw_handler);
PG_FUNCTION_INFO_V1(spice_fdw_validator);

/* CLOSED -> OPEN (first row) -> ENDED (behind the last) -> CLOSED (rescan); OPEN -> CLOSED (rescan) */
typedef enum ScanPhase
{
	SCAN_CLOSED,
	SCAN_OPEN,
	SCAN_ENDED
} ScanPhase;

/* a condition that may exclude a document as a whole */
typedef struct PartCondition
{
	Bitmapset  *columns;		/* attribute numbers, as pull_varattnos() has them */
	ExprState  *state;
} PartCondition;

typedef struct ForeignScanWork
{
	const Dataset *dataset;
	RecordFormat format;
	char	  **fields;			/* by column, its field's name */
	List	   *used;			/* attribute numbers of the columns that are asked for */
	SourceScan *scan;
	ReaderProcess *process;		/* reads instead of scan, or NULL */
	Spool	   *spool;
	bool		offered;		/* the spool is a refresh's */
	ScanPhase	phase;
	HeapTuple	tuple;			/* the newest, or NULL */
	List	   *conditions;		/* of PartCondition * */
	TupleTableSlot *part_slot;	/* a document's own values; NULL: none had any */
} ForeignScanWork;

static char *
dataset_option(Oid relation)
{
	DefElem    *option = foreign_option_find(GetForeignTable(relation)->options, "dataset");

	if (option == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("foreign table \"%s\" has no option \"dataset\"", get_rel_name(relation))));
	return defGetString(option);
}

/* Returns the dataset that the refresh has read, or for another query the catalog's. */
static const Dataset *
dataset_of(Oid relation)
{
	const Dataset *dataset = source_offered_for(relation);

	return dataset != NULL ? dataset : catalog_dataset_by_name(dataset_option(relation), true);
}

static void
get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid relation)
{
	const Dataset *dataset = dataset_of(relation);

	baserel->tuples = dataset->loaded && dataset->rows > 0 ? dataset->rows : DEFAULT_ROWS;
	set_baserel_size_estimates(root, baserel);
}

static void
get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid relation pg_attribute_unused())
{
	Cost		startup = baserel->baserestrictcost.startup;
	Cost		total = startup + baserel->tuples *
	(CPU_PER_RECORD + baserel->baserestrictcost.per_tuple);

	add_path(baserel, (Path *) compat_create_foreignscan_path(root, baserel, baserel->rows,
															  startup, total));
}

/* the columns the query looks at, as a list of attribute numbers */
static List *
used_columns(RelOptInfo *baserel)
{
	Bitmapset  *used = NULL;
	List	   *columns = NIL;
	ListCell   *cell;
	int			member = -1;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	foreach(cell, baserel->baserestrictinfo)
		pull_varattnos((Node *) ((RestrictInfo *) lfirst(cell))->clause, baserel->relid, &used);
	while ((member = bms_next_member(used, member)) >= 0)
	{
		/* 0 stands for the whole row */
		columns = lappend_int(columns, member + FirstLowInvalidHeapAttributeNumber);
	}
	return columns;
}

static ForeignScan *
get_plan(PlannerInfo *root pg_attribute_unused(), RelOptInfo *baserel,
		 Oid relation pg_attribute_unused(), ForeignPath *path pg_attribute_unused(),
		 List *tlist, List *clauses, Plan *outer_plan)
{
	return make_foreignscan(tlist, extract_actual_clauses(clauses, false), baserel->relid,
							NIL, used_columns(baserel), NIL, NIL, outer_plan);
}

static void
explain_scan(ForeignScanState *node, ExplainState *es)
{
	const Dataset *dataset = dataset_of(RelationGetRelid(node->ss.ss_currentRelation));

	ExplainPropertyText("Dataset", dataset->name, es);
}

/* Conditions are tried on the values that a document has as a whole, which most have not. */
static void
prepare_conditions(ForeignScanState *node)
{
	ForeignScanWork *work = node->fdw_state;
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	ListCell   *cell;

	work->part_slot = MakeSingleTupleTableSlot(RelationGetDescr(node->ss.ss_currentRelation), &TTSOpsVirtual);
	foreach(cell, plan->scan.plan.qual)
	{
		Node	   *clause = lfirst(cell);
		PartCondition *condition;

		if (contain_volatile_functions(clause) || contain_subplans(clause))
			continue;
		condition = palloc0(sizeof(PartCondition));
		pull_varattnos(clause, plan->scan.scanrelid, &condition->columns);
		condition->state = ExecInitQual(list_make1(clause), &node->ss.ps);
		work->conditions = lappend(work->conditions, condition);
	}
	MemoryContextSwitchTo(old);
}

/* Puts a document's values into the slot; returns the columns that have one. */
static Bitmapset *
fill_part_slot(TupleTableSlot *slot, char **fields, const SpoolPart *part)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Bitmapset  *known = NULL;

	ExecClearTuple(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const PartValue *value = attribute->attisdropped ? NULL : spool_part_value(part, fields[i]);
		Oid			input;
		Oid			io_param;

		slot->tts_isnull[i] = true;
		if (value == NULL)
			continue;
		known = bms_add_member(known, i + 1 - FirstLowInvalidHeapAttributeNumber);
		if (value->text == NULL)
			continue;
		getTypeInputInfo(attribute->atttypid, &input, &io_param);
		slot->tts_isnull[i] = false;
		slot->tts_values[i] = OidInputFunctionCall(input, pstrdup(value->text), io_param, attribute->atttypmod);
	}
	ExecStoreVirtualTuple(slot);
	return known;
}

/* May the document have a row for the query? */
static bool
is_wanted_part(void *arg, const SpoolPart *part)
{
	ForeignScanState *node = arg;
	ForeignScanWork *work = node->fdw_state;
	ExprContext *context = node->ss.ps.ps_ExprContext;
	MemoryContext old;
	Bitmapset  *known;
	bool		wanted = true;
	ListCell   *cell;

	if (part->values == NIL)
		return true;
	if (work->part_slot == NULL)
		prepare_conditions(node);
	old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	known = fill_part_slot(work->part_slot, work->fields, part);
	context->ecxt_scantuple = work->part_slot;
	foreach(cell, known == NULL ? NIL : work->conditions)
	{
		PartCondition *condition = lfirst(cell);

		if (wanted && !bms_is_empty(condition->columns) && bms_is_subset(condition->columns, known))
			wanted = ExecQual(condition->state, context);
	}
	MemoryContextSwitchTo(old);
	ResetExprContext(context);
	return wanted;
}

static char **
read_fields(Relation relation)
{
	int			natts = RelationGetNumberOfAttributes(relation);
	char	  **fields = palloc(sizeof(char *) * natts);

	for (int i = 0; i < natts; i++)
		fields[i] = TupleDescAttr(RelationGetDescr(relation), i)->attisdropped ? "" :
			field_name_of(RelationGetRelid(relation), i + 1);
	return fields;
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	Relation	relation = node->ss.ss_currentRelation;
	ForeignScanWork *work;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	work = palloc0(sizeof(ForeignScanWork));
	work->dataset = dataset_of(RelationGetRelid(relation));
	records_format(work->dataset, &work->format);
	work->used = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	work->fields = read_fields(relation);
	work->scan = scan_create(&work->format, RelationGetDescr(relation), work->fields, work->used,
							 CurrentMemoryContext);
	node->fdw_state = work;
	scan_set_filter(work->scan, is_wanted_part, node);
	scan_set_bounds(work->scan, bounds_find(node->ss.ps.plan->qual,
											((ForeignScan *) node->ss.ps.plan)->scan.scanrelid));
}

/* the first row is wanted: get hold of the bytes, and of who reads them */
static void
open_scan(ForeignScanState *node)
{
	ForeignScanWork *work = node->fdw_state;
	MemoryContext context = node->ss.ps.state->es_query_cxt;
	MemoryContext old = MemoryContextSwitchTo(context);

	if (work->spool == NULL)
	{
		work->spool = source_offered(work->dataset->id);
		work->offered = work->spool != NULL;
		if (!work->offered)
		{
			HttpReport *report = palloc0(sizeof(HttpReport));

			work->spool = source_fetch(work->dataset, NULL, NULL, false, report, context)->spool;
		}
		records_detect(&work->format, work->spool);
		if (work->offered && source_reader_allowed() && records_are_plain(&work->format, work->spool))
			work->process = reader_process_start(&work->format, RelationGetDescr(node->ss.ss_currentRelation),
												 work->fields, work->used, work->spool, work->scan);
	}
	if (work->process == NULL)
		scan_open(work->scan, work->spool);
	work->phase = SCAN_OPEN;
	MemoryContextSwitchTo(old);
}

/* there are no more rows: what the scan of a refresh met is the refresh's to know */
static void
close_scan(ForeignScanWork *work)
{
	if (work->process != NULL)
	{
		reader_process_stop(work->process, source_offered_report());
		work->process = NULL;
	}
	else if (work->offered)
		*source_offered_report() = scan_report(work->scan, NULL);
	work->phase = SCAN_ENDED;
}

static void
read_tuple(void *arg)
{
	ForeignScanState *node = arg;
	ForeignScanWork *work = node->fdw_state;

	if (work->phase == SCAN_CLOSED)
		open_scan(node);
	work->tuple = work->process != NULL ? reader_process_next(work->process) : scan_next(work->scan);
}

static TupleTableSlot *
iterate_scan(ForeignScanState *node)
{
	ForeignScanWork *work = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (work->phase == SCAN_ENDED)
		return slot;
	/* errors of a refresh leave through its own gate */
	if (work->offered)
		read_tuple(node);
	else
		redact_call(read_tuple, node);
	if (work->tuple != NULL)
		return ExecStoreHeapTuple(work->tuple, slot, false);
	close_scan(work);
	return slot;
}

/* no more rows are wanted, whether there are any or not */
static void
shutdown_scan(ForeignScanState *node)
{
	ForeignScanWork *work = node->fdw_state;

	if (work == NULL || work->process == NULL)
		return;
	reader_process_stop(work->process, NULL);
	work->process = NULL;
	work->phase = SCAN_ENDED;
}

static void
rescan(ForeignScanState *node)
{
	shutdown_scan(node);
	((ForeignScanWork *) node->fdw_state)->phase = SCAN_CLOSED;
}

static void
end_scan(ForeignScanState *node)
{
	ForeignScanWork *work = node->fdw_state;

	shutdown_scan(node);
	if (work == NULL)
		return;
	scan_free(work->scan);
	if (work->part_slot != NULL)
		ExecDropSingleTupleTableSlot(work->part_slot);
}

Datum
spice_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = get_rel_size;
	routine->GetForeignPaths = get_paths;
	routine->GetForeignPlan = get_plan;
	routine->ExplainForeignScan = explain_scan;
	routine->BeginForeignScan = begin_scan;
	routine->IterateForeignScan = iterate_scan;
	routine->ReScanForeignScan = rescan;
	routine->ShutdownForeignScan = shutdown_scan;
	routine->EndForeignScan = end_scan;
	PG_RETURN_POINTER(routine);
}

/*
 * Options name the dataset, its fields that are no column yet, and fields whose columns
 * have another name.  Everything else,
 * credentials above all, stays in the manifest.
 */
Datum
spice_fdw_validator(PG_FUNCTION_ARGS)
{
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *cell;

	foreach(cell, untransformRelOptions(PG_GETARG_DATUM(0)))
	{
		DefElem    *option = lfirst(cell);

		if (catalog == ForeignTableRelationId && (strcmp(option->defname, "dataset") == 0 ||
												  strcmp(option->defname, "null_fields") == 0))
			continue;
		if (catalog == AttributeRelationId && strcmp(option->defname, FIELD_OPTION) == 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", option->defname),
				 catalog == ForeignTableRelationId ?
				 errhint("The valid options of a foreign table are: dataset, null_fields") :
				 catalog == AttributeRelationId ?
				 errhint("The valid options of a column are: field") :
				 errhint("There are no valid options in this context.")));
	}
	PG_RETURN_VOID();
}

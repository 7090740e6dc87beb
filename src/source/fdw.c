/*-------------------------------------------------------------------------
 *
 * fdw.c
 *		Foreign data wrapper spice: a dataset's source as a foreign table.
 *
 * A refresh is a query over this foreign table.  It has fetched the response
 * beforehand, without a transaction, and offers the spool; anybody else's
 * scan fetches by itself, when its first row is asked for.  Either way the
 * records stream from the spool through one reader: no row is held longer
 * than until the next one, and a rescan reads the same bytes again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "source/source.h"
#include "source/typing.h"

#define DEFAULT_ROWS	1000	/* estimate for a source that was never loaded */
#define CPU_PER_RECORD	(50 * cpu_operator_cost)

PG_FUNCTION_INFO_V1(spice_fdw_handler);
PG_FUNCTION_INFO_V1(spice_fdw_validator);

typedef struct SourceScan
{
	Dataset    *dataset;
	Spool	   *spool;
	bool		offered;		/* the spool is a refresh's */
	SpoolCursor cursor;
	RecordReader *reader;		/* NULL before the first row and after a rescan */
	ColumnTyper *typers;		/* by column; type InvalidOid: not asked for */
	int		   *fields;			/* by column: the reader's field, -1: dropped */
	bool	   *met;			/* by column: some record had it */
	int			n_columns;
	ValuePlace	place;
	ErrorContextCallback context_line;
	MemoryContext scan_context;	/* lives as long as the scan */
	MemoryContext reader_context;	/* until the next rescan */
	MemoryContext row_context;	/* until the next row */
} SourceScan;

static char *
dataset_option(Oid relation)
{
	ListCell   *cell;

	foreach(cell, GetForeignTable(relation)->options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, "dataset") == 0)
			return defGetString(option);
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
			 errmsg("foreign table \"%s\" has no option \"dataset\"", get_rel_name(relation))));
}

static void
get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid relation)
{
	Dataset    *dataset = catalog_dataset_by_name(dataset_option(relation), true);

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
	Dataset    *dataset = catalog_dataset_by_name(dataset_option(RelationGetRelid(node->ss.ss_currentRelation)), true);

	ExplainPropertyText("Dataset", dataset->name, es);
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	SourceScan  *state;
	Relation	relation = node->ss.ss_currentRelation;
	TupleDesc	desc = RelationGetDescr(relation);
	List	   *used = ((ForeignScan *) node->ss.ps.plan)->fdw_private;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	state = palloc0(sizeof(SourceScan));
	state->scan_context = AllocSetContextCreate(CurrentMemoryContext, "spice scan",
												ALLOCSET_DEFAULT_SIZES);
	state->reader_context = AllocSetContextCreate(state->scan_context, "spice reader",
												  ALLOCSET_SMALL_SIZES);
	state->row_context = AllocSetContextCreate(state->scan_context, "spice row",
											   ALLOCSET_DEFAULT_SIZES);
	state->dataset = catalog_dataset_by_name(dataset_option(RelationGetRelid(relation)), true);
	state->n_columns = desc->natts;
	state->typers = palloc0(sizeof(ColumnTyper) * desc->natts);
	state->fields = palloc(sizeof(int) * desc->natts);
	state->met = palloc0(sizeof(bool) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		state->fields[i] = -1;
		if (!attribute->attisdropped &&
			(list_member_int(used, i + 1) || list_member_int(used, 0)))
			typer_init(&state->typers[i], attribute);
	}
	state->place.dataset = state->dataset->name;
	state->context_line.callback = value_place_callback;
	state->context_line.arg = &state->place;
	node->fdw_state = state;
}

/* the first row is wanted: get hold of the bytes and of a reader over them */
static void
open_scan(ForeignScanState *node)
{
	SourceScan  *state = node->fdw_state;
	TupleDesc	desc = RelationGetDescr(node->ss.ss_currentRelation);

	if (state->spool == NULL)
	{
		state->spool = source_offered(state->dataset->id);
		state->offered = state->spool != NULL;
		if (!state->offered)
			state->spool = source_fetch(state->dataset, NULL, false, state->scan_context)->spool;
	}
	spool_rewind(state->spool, &state->cursor);
	state->reader = records_open(state->dataset, &state->cursor, false, state->reader_context);
	for (int i = 0; i < state->n_columns; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);

		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		state->fields[i] = records_add_field(state->reader, name, state->typers[i].type);
	}
	state->place.reader = state->reader;
}

/* an error document with status 200 must not pass for a row of nulls */
static void
refuse_foreign_record(const SourceScan *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("a record has none of the columns of dataset \"%s\"", state->dataset->name),
			 errdetail("It is %s and has field \"%s\".", record_place(state->reader, NULL),
					   state->reader->unknown_name),
			 errhint("Look at what the source answers, and at params.json_pointer.")));
}

static void
fill_slot(SourceScan *state, TupleTableSlot *slot)
{
	MemoryContext old;

	MemoryContextReset(state->row_context);
	old = MemoryContextSwitchTo(state->row_context);
	for (int i = 0; i < state->n_columns; i++)
	{
		ColumnTyper *typer = &state->typers[i];
		const JsonValue *value;

		slot->tts_isnull[i] = true;
		if (!OidIsValid(typer->type))
			continue;
		value = &state->reader->values[state->fields[i]];
		state->met[i] |= value->kind != JSON_ABSENT;
		state->place.column = typer->name;
		state->place.value = value;
		slot->tts_values[i] = typer_convert(typer, value, &state->place, &slot->tts_isnull[i]);
	}
	state->place.value = NULL;
	MemoryContextSwitchTo(old);
}

/* what a refresh shows of the scan it ran */
static void
report_scan(const SourceScan *state)
{
	if (!state->offered)
		return;
	source_report.records = state->reader->record;
	source_report.unknown_total = state->reader->unknown_total;
	strlcpy(source_report.unknown_name, state->reader->unknown_name,
			sizeof(source_report.unknown_name));
	source_report.absent_name[0] = '\0';
	for (int i = 0; i < state->n_columns && state->reader->record > 0; i++)
	{
		if (OidIsValid(state->typers[i].type) && !state->met[i])
			strlcpy(source_report.absent_name, state->typers[i].name, NAMEDATALEN);
	}
}

static TupleTableSlot *
iterate_scan(ForeignScanState *node)
{
	SourceScan  *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (state->reader == NULL)
		open_scan(node);
	if (!records_next(state->reader))
	{
		report_scan(state);
		return slot;
	}
	if (state->reader->foreign)
		refuse_foreign_record(state);

	state->context_line.previous = error_context_stack;
	error_context_stack = &state->context_line;
	fill_slot(state, slot);
	error_context_stack = state->context_line.previous;
	return ExecStoreVirtualTuple(slot);
}

static void
rescan(ForeignScanState *node)
{
	SourceScan  *state = node->fdw_state;

	MemoryContextReset(state->reader_context);
	state->reader = NULL;
	state->place.reader = NULL;
}

static void
end_scan(ForeignScanState *node)
{
	SourceScan  *state = node->fdw_state;

	if (state != NULL)
		MemoryContextDelete(state->scan_context);
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
	routine->EndForeignScan = end_scan;
	PG_RETURN_POINTER(routine);
}

/*
 * The only option there is names the dataset; all else, credentials above
 * all, stays in the manifest.
 */
Datum
spice_fdw_validator(PG_FUNCTION_ARGS)
{
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *cell;

	foreach(cell, untransformRelOptions(PG_GETARG_DATUM(0)))
	{
		DefElem    *option = lfirst(cell);

		if (catalog == ForeignTableRelationId && strcmp(option->defname, "dataset") == 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", option->defname),
				 catalog == ForeignTableRelationId ?
				 errhint("The valid option of a foreign table is: dataset") :
				 errhint("There are no valid options in this context.")));
	}
	PG_RETURN_VOID();
}

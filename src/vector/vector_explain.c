/*-------------------------------------------------------------------------
 *
 * vector_explain.c
 *		What EXPLAIN says of a scan of columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "vector/vector_explain.h"

static List *
deparse(CustomScanState *node, List *ancestors, ExplainState *es, List *expressions)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
	bool		with_table = list_length(es->rtable) > 1 || es->verbose;
	List	   *texts = NIL;
	ListCell   *cell;

	foreach(cell, expressions)
		texts = lappend(texts, deparse_expression(lfirst(cell), context, with_table, false));
	return texts;
}

void
vector_explain_list(CustomScanState *node, List *ancestors, ExplainState *es, const char *label,
					List *expressions)
{
	if (expressions != NIL)
		ExplainPropertyList(label, deparse(node, ancestors, es, expressions), es);
}

/* "Filter" is what core calls the plan's own condition: HAVING. */
void
vector_explain_conditions(CustomScanState *node, List *ancestors, ExplainState *es,
						  List *conditions)
{
	List	   *texts = deparse(node, ancestors, es, conditions);
	StringInfoData all;
	ListCell   *cell;

	if (conditions == NIL)
		return;
	initStringInfo(&all);
	foreach(cell, texts)
	{
		if (cell != list_head(texts))
			appendStringInfoString(&all, " AND ");
		appendStringInfoString(&all, lfirst(cell));
	}
	ExplainPropertyText("Row Filter", all.data, es);
}

static void
explain_counts(const SourceCounts *counts, ExplainState *es)
{
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		char	   *text = psprintf(UINT64_FORMAT " from columns, " UINT64_FORMAT " from heap",
									counts->column_blocks, counts->heap_blocks);

		ExplainPropertyText("Blocks", text, es);
	}
	else
	{
		ExplainPropertyInteger("Blocks From Columns", NULL, counts->column_blocks, es);
		ExplainPropertyInteger("Blocks From Heap", NULL, counts->heap_blocks, es);
	}
	ExplainPropertyInteger("Row Groups Skipped", NULL, counts->skipped_groups, es);
}

void
vector_explain_source(CustomScanState *node, ExplainState *es, List *columns,
					  const VectorSource *source)
{
	Oid			table = RelationGetRelid(node->ss.ss_currentRelation);
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, columns)
		names = lappend(names, get_attname(table, lfirst_int(cell), false));
	if (names != NIL)
		ExplainPropertyList("Columns", names, es);
	if (es->analyze)
		explain_counts(source_counts(source), es);
}

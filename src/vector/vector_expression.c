/*-------------------------------------------------------------------------
 *
 * vector_expression.c
 *		Values of an expression for the selected rows of a batch.
 *
 * Functions on numbers that have a loop (vector_kernel.h) are evaluated by it.  Any
 * other expression is evaluated by the server: once for each entry of a dictionary that
 * a selected row has, if it depends on one column, else once for each row.  Entries
 * that no selected row has are left alone, because they might raise an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "vector/vector_contain.h"
#include "vector/vector_expression.h"
#include "vector/vector_step.h"

typedef enum ExpressionKind
{
	EXPRESSION_COLUMN,
	EXPRESSION_CONSTANT,
	EXPRESSION_NUMBER,			/* a loop whose result is a number */
	EXPRESSION_COMPARISON,
	EXPRESSION_NULL_TEST,
	EXPRESSION_LOGIC,			/* AND and OR of conditions that raise no error */
	EXPRESSION_STEP,			/* date_trunc() and its like */
	EXPRESSION_ENTRY,			/* depends on one column that may have a dictionary */
	EXPRESSION_ROW
} ExpressionKind;

#define ENTRY_UNKNOWN 2
#define LIST_MOST 32			/* values of IN that become comparisons */

/* results by the code of a dictionary's entry; the last is that of null */
typedef struct EntryResults
{
	uint64		dictionary;		/* serial number */
	MemoryContext context;
	bool	   *known;
	uint8	   *truth;			/* of a condition: 0, 1, or ENTRY_UNKNOWN */
	bool	   *nulls;
	bool		any_null;
	union
	{
		int64	   *integers;
		double	   *floats;
		ByteView   *bytes;
	};
} EntryResults;

struct VectorExpression
{
	ExpressionKind kind;
	ExpressionContext *context;
	ValueType	type;
	int			column;
	const KernelFunction *kernel;
	NullTestType test;
	VectorExpression *argument[2];
	FmgrInfo	function;
	StepFunction *step;
	bool		is_and;
	List	   *arms;			/* of logic */
	ExprState  *state;			/* of the server's evaluator */
	Bitmapset  *columns;		/* of the batch, that the state reads */
	bool		is_given;		/* a constant that is not calculated */
	uint64		start;			/* a constant's value is of this start */
	EntryResults entry;
	bool		has_contain;	/* strings without a dictionary are tested here */
	ContainTest contain;
	Vector		result;
	VectorRoom *room;
};

const ValueType *
expression_type(const VectorExpression *expression)
{
	return &expression->type;
}

bool
expression_is_column(const VectorExpression *expression)
{
	return expression->kind == EXPRESSION_COLUMN;
}

/* ---------------------------------------------------------------- compile */

static bool
find_columns(Node *node, VectorExpression *expression)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		int			column = vector_batch_find(expression->context->batch,
											   ((Var *) node)->varattno);

		expression->columns = bms_add_member(expression->columns, column);
	}
	return expression_tree_walker(node, find_columns, expression);
}

static void
compile_for_server(VectorExpression *expression, Expr *node)
{
	const VectorBatch *batch = expression->context->batch;
	int			column;

	expression->state = ExecInitExprWithParams(node, expression->context->params);
	find_columns((Node *) node, expression);
	expression->kind = EXPRESSION_ROW;
	expression->is_given = IsA(node, Const) || IsA(node, Param);
	if (bms_is_empty(expression->columns))
		expression->kind = EXPRESSION_CONSTANT;
	else if (bms_get_singleton_member(expression->columns, &column) &&
			 !batch->column[column].type.by_value)
	{
		expression->kind = EXPRESSION_ENTRY;
		expression->column = column;
		expression->has_contain = contain_is_test(node, &expression->contain);
		expression->entry.context = AllocSetContextCreate(CurrentMemoryContext,
														  "spice dictionary results",
														  ALLOCSET_DEFAULT_SIZES);
	}
}

/* the arguments of a function, or NIL if the node is none */
static List *
function_arguments(Expr *node, Oid *function)
{
	if (IsA(node, FuncExpr))
	{
		*function = ((FuncExpr *) node)->funcid;
		return ((FuncExpr *) node)->args;
	}
	if (IsA(node, OpExpr))
	{
		set_opfuncid((OpExpr *) node);
		*function = ((OpExpr *) node)->opfuncid;
		return ((OpExpr *) node)->args;
	}
	return NIL;
}

static bool
is_number(const VectorExpression *expression)
{
	return expression->type.class == VALUE_INTEGER || expression->type.class == VALUE_FLOAT;
}

static bool
compile_for_kernel(VectorExpression *expression, Expr *node)
{
	Oid			function;
	List	   *arguments = function_arguments(node, &function);
	const KernelFunction *kernel = arguments ? kernel_find(function) : NULL;

	if (kernel == NULL || !contain_var_clause((Node *) node))
		return false;
	for (int i = 0; i < list_length(arguments); i++)
	{
		expression->argument[i] = expression_compile(expression->context, list_nth(arguments, i));
		if (!is_number(expression->argument[i]))
			return false;
	}
	compat_check_execute(function, OBJECT_FUNCTION);
	fmgr_info(function, &expression->function);
	expression->kernel = kernel;
	expression->kind = kernel->operation >= KERNEL_EQUAL ?
		EXPRESSION_COMPARISON : EXPRESSION_NUMBER;
	return true;
}

static bool
compile_for_step(VectorExpression *expression, Expr *node)
{
	Oid			function;
	List	   *arguments = function_arguments(node, &function);
	Expr	   *changing = arguments ? step_argument(function, arguments) : NULL;

	if (changing == NULL || !contain_var_clause((Node *) changing))
		return false;
	expression->argument[0] = expression_compile(expression->context, changing);
	compat_check_execute(function, OBJECT_FUNCTION);
	expression->step = step_make(function, arguments);
	expression->kind = EXPRESSION_STEP;
	return true;
}

static bool
compile_for_null_test(VectorExpression *expression, Expr *node)
{
	NullTest   *test = (NullTest *) node;

	if (!IsA(node, NullTest) || test->argisrow || !IsA(test->arg, Var))
		return false;
	expression->kind = EXPRESSION_NULL_TEST;
	expression->test = test->nulltesttype;
	expression->argument[0] = expression_compile(expression->context, test->arg);
	return true;
}

VectorExpression *
expression_compile(ExpressionContext *context, Expr *node)
{
	VectorExpression *expression;

	if (IsA(node, RelabelType))
	{
		expression = expression_compile(context, ((RelabelType *) node)->arg);
		expression->type = value_type(exprType((Node *) node), exprTypmod((Node *) node),
									  exprCollation((Node *) node));
		return expression;
	}
	expression = palloc0(sizeof(VectorExpression));
	expression->context = context;
	expression->type = value_type(exprType((Node *) node), exprTypmod((Node *) node),
								  exprCollation((Node *) node));
	expression->room = palloc0(sizeof(VectorRoom));
	if (IsA(node, Var))
	{
		expression->kind = EXPRESSION_COLUMN;
		expression->column = vector_batch_find(context->batch, ((Var *) node)->varattno);
	}
	else if (!compile_for_kernel(expression, node) && !compile_for_step(expression, node) &&
			 !compile_for_null_test(expression, node))
		compile_for_server(expression, node);
	return expression;
}

static bool
raises_no_error(VectorExpression *expression)
{
	PlainCondition condition;

	return expression->kind == EXPRESSION_LOGIC || expression_is_plain(expression, &condition);
}

/* x IN (1, 2, 3) as x = 1 OR x = 2 OR x = 3; NIL: it is not that, or long */
static List *
conditions_of_list(ScalarArrayOpExpr *node)
{
	Const	   *array = lsecond(node->args);
	Oid			type = IsA(array, Const) ? get_element_type(array->consttype) : InvalidOid;
	List	   *arms = NIL;
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	set_sa_opfuncid(node);
	if (!node->useOr || !OidIsValid(type) || array->constisnull ||
		kernel_find(node->opfuncid) == NULL)
		return NIL;
	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(DatumGetArrayTypeP(array->constvalue), type, length, by_value, align,
					  &values, &nulls, &count);
	for (int i = 0; i < count && count <= LIST_MOST; i++)
	{
		Const	   *constant = makeConst(type, -1, InvalidOid, length, values[i], nulls[i],
										 by_value);

		arms = lappend(arms, make_opclause(node->opno, BOOLOID, false, linitial(node->args),
										   (Expr *) constant, InvalidOid, node->inputcollid));
	}
	return arms;
}

static List *
logic_arms(Expr *node, bool *is_and)
{
	*is_and = false;
	if (IsA(node, ScalarArrayOpExpr))
		return conditions_of_list((ScalarArrayOpExpr *) node);
	if (!IsA(node, BoolExpr) || ((BoolExpr *) node)->boolop == NOT_EXPR)
		return NIL;
	*is_and = ((BoolExpr *) node)->boolop == AND_EXPR;
	return ((BoolExpr *) node)->args;
}

/*
 * Of an expression of which only matters whether it is true.  AND and OR are joined from
 * whole vectors if no arm raises an error, so it does not matter which rows see an arm.
 */
VectorExpression *
expression_compile_condition(ExpressionContext *context, Expr *node)
{
	bool		is_and;
	List	   *arms = logic_arms(node, &is_and);
	VectorExpression *expression = palloc0(sizeof(VectorExpression));
	ListCell   *cell;

	foreach(cell, arms)
	{
		VectorExpression *arm = expression_compile_condition(context, lfirst(cell));

		if (!raises_no_error(arm))
			return expression_compile(context, node);
		expression->arms = lappend(expression->arms, arm);
	}
	if (arms == NIL)
		return expression_compile(context, node);
	expression->kind = EXPRESSION_LOGIC;
	expression->context = context;
	expression->is_and = is_and;
	return expression;
}

/* ---------------------------------------------------------------- evaluate by the server */

static VectorKind
kind_of_result(const VectorExpression *expression)
{
	switch (expression->type.class)
	{
		case VALUE_INTEGER:
			return VECTOR_INTEGER;
		case VALUE_FLOAT:
			return VECTOR_FLOAT;
		default:
			return VECTOR_BYTES;
	}
}

/* Bytes in the context, that of a value which lives shorter. */
static ByteView
keep_bytes(const ValueType *type, Datum value, MemoryContext context)
{
	ByteView	bytes = value_to_bytes(type, value);
	char	   *copy = MemoryContextAlloc(context, bytes.length + 1);

	memcpy(copy, bytes.data, bytes.length);
	return (ByteView) {copy, bytes.length};
}

/* row i's result to the place */
static void
store_result(VectorExpression *expression, MemoryContext context, Datum value, bool is_null,
			 int64 *place, ByteView *bytes, bool *null_place)
{
	*null_place = is_null;
	switch (expression->type.class)
	{
		case VALUE_INTEGER:
			*place = is_null ? 0 : value_to_integer(&expression->type, value);
			break;
		case VALUE_FLOAT:
			*(double *) place = is_null ? 0 : value_to_float(&expression->type, value);
			break;
		default:
			*bytes = is_null ? (ByteView) {"", 0} : keep_bytes(&expression->type, value, context);
			break;
	}
}

static Datum
evaluate(VectorExpression *expression, bool *is_null)
{
	return ExecEvalExprSwitchContext(expression->state, expression->context->econtext, is_null);
}

/* puts a row's values of the columns that the expression reads into the slot */
static void
fill_slot(VectorExpression *expression, const Vector **vectors, int row)
{
	ExpressionContext *context = expression->context;
	TupleTableSlot *slot = context->slot;
	MemoryContext old;
	int			column = -1;
	int			i = 0;

	ResetExprContext(context->econtext);
	old = MemoryContextSwitchTo(context->econtext->ecxt_per_tuple_memory);
	while ((column = bms_next_member(expression->columns, column)) >= 0)
	{
		const BatchColumn *source = &context->batch->column[column];
		const Vector *vector = vectors[i++];
		bool		is_null = vector->nulls && vector->nulls[row];

		slot->tts_isnull[source->attribute - 1] = is_null;
		slot->tts_values[source->attribute - 1] = is_null ?
			(Datum) 0 : vector_datum(&source->type, vector, row);
	}
	MemoryContextSwitchTo(old);
}

static void
set_result(VectorExpression *expression, bool any_null)
{
	expression->result.kind = kind_of_result(expression);
	expression->result.scale = 0;
	expression->result.integers = expression->room->integers;
	expression->result.nulls = any_null ? expression->room->nulls : NULL;
	expression->result.dictionary = NULL;
}

static void
evaluate_rows(VectorExpression *expression)
{
	VectorBatch *batch = expression->context->batch;
	VectorRoom *room = expression->room;
	const Vector **vectors = palloc(bms_num_members(expression->columns) * sizeof(Vector *));
	bool		any_null = false;
	int			column = -1;
	int			used = 0;

	while ((column = bms_next_member(expression->columns, column)) >= 0)
		vectors[used++] = vector_batch_column(batch, column);
	for (int i = 0; i < batch->selection.count; i++)
	{
		bool		is_null;
		Datum		value;

		fill_slot(expression, vectors, i);
		value = evaluate(expression, &is_null);
		store_result(expression, batch->context, value, is_null, &room->integers[i],
					 &room->bytes[i],
					 &room->nulls[i]);
		any_null |= is_null;
	}
	pfree(vectors);
	set_result(expression, any_null);
}

static void
forget_entries(EntryResults *entry, const ValueType *type, const VectorDictionary *dictionary)
{
	Size		size = type->class == VALUE_INTEGER || type->class == VALUE_FLOAT ?
	sizeof(int64) : sizeof(ByteView);
	int			count = dictionary->count + 1;

	MemoryContextReset(entry->context);
	entry->dictionary = dictionary->serial;
	entry->known = MemoryContextAllocZero(entry->context, count);
	entry->nulls = MemoryContextAllocZero(entry->context, count);
	entry->truth = MemoryContextAlloc(entry->context, count);
	memset(entry->truth, ENTRY_UNKNOWN, count);
	entry->integers = MemoryContextAllocZero(entry->context, count * size);
	entry->any_null = false;
}

static void
evaluate_entry(VectorExpression *expression, const Vector *vector, int row, int code)
{
	EntryResults *entry = &expression->entry;
	bool		is_null;
	Datum		value;

	fill_slot(expression, &vector, row);
	value = evaluate(expression, &is_null);
	store_result(expression, entry->context, value, is_null, &entry->integers[code],
				 &entry->bytes[code], &entry->nulls[code]);
	entry->known[code] = true;
	if (expression->type.type == BOOLOID)
		entry->truth[code] = !is_null && DatumGetBool(value);
	entry->any_null |= is_null;
}

/* the result of each row by its number; that of null is the dictionary's count */
static const uint16 *
entry_numbers(VectorExpression *expression, const Vector *vector, uint16 *room)
{
	int			count = expression->context->batch->selection.count;

	if (expression->entry.dictionary != vector->dictionary->serial)
		forget_entries(&expression->entry, &expression->type, vector->dictionary);
	if (vector->nulls == NULL)
		return vector->codes;
	for (int i = 0; i < count; i++)
		room[i] = vector->nulls[i] ? vector->dictionary->count : vector->codes[i];
	return room;
}

/* evaluates what is not known yet */
static const uint16 *
find_entries(VectorExpression *expression, const Vector *vector, uint16 *room)
{
	const uint16 *codes = entry_numbers(expression, vector, room);

	for (int i = 0; i < expression->context->batch->selection.count; i++)
	{
		if (!expression->entry.known[codes[i]])
			evaluate_entry(expression, vector, i, codes[i]);
	}
	return codes;
}

/* of a condition; false: the column has no dictionary here */
static bool
entries_are_true(VectorExpression *expression, bool *out)
{
	const Vector *vector = vector_batch_column(expression->context->batch, expression->column);
	int			count = expression->context->batch->selection.count;
	uint16		room[VECTOR_ROWS];
	uint8		truth[VECTOR_ROWS];
	uint8		all = 0;
	const uint16 *codes;

	if (vector->kind != VECTOR_CODE)
		return false;
	codes = entry_numbers(expression, vector, room);
	for (int i = 0; i < count; i++)
	{
		truth[i] = expression->entry.truth[codes[i]];
		all |= truth[i];
	}
	if (all & ENTRY_UNKNOWN)
	{
		find_entries(expression, vector, room);
		for (int i = 0; i < count; i++)
			truth[i] = expression->entry.truth[codes[i]];
	}
	memcpy(out, truth, count);
	return true;
}

static void
evaluate_entries(VectorExpression *expression)
{
	VectorBatch *batch = expression->context->batch;
	const Vector *vector = vector_batch_column(batch, expression->column);
	EntryResults *entry = &expression->entry;
	VectorRoom *room = expression->room;
	uint16		code_room[VECTOR_ROWS];
	const uint16 *codes;

	if (vector->kind == VECTOR_BYTES && expression->has_contain)
	{
		contain_test(&expression->contain, batch->selection.count, vector->bytes, vector->nulls,
					 room->integers);
		set_result(expression, false);
		expression->result.nulls = vector->nulls;
		return;
	}
	if (vector->kind != VECTOR_CODE)
	{
		evaluate_rows(expression);
		return;
	}
	codes = find_entries(expression, vector, code_room);
	for (int i = 0; i < batch->selection.count; i++)
		room->nulls[i] = entry->nulls[codes[i]];
	if (kind_of_result(expression) == VECTOR_BYTES)
	{
		for (int i = 0; i < batch->selection.count; i++)
			room->bytes[i] = entry->bytes[codes[i]];
	}
	else
	{
		for (int i = 0; i < batch->selection.count; i++)
			room->integers[i] = entry->integers[codes[i]];
	}
	set_result(expression, entry->any_null);
}

/*
 * The value is that of this start of the scan.  It is asked for when the first row needs
 * it, as it may raise an error.
 */
static void
evaluate_constant(VectorExpression *expression)
{
	VectorRoom *room = expression->room;
	bool		is_null;
	Datum		value;

	if (expression->start == expression->context->start)
		return;
	value = evaluate(expression, &is_null);
	store_result(expression, expression->context->memory, value, is_null, &room->integers[0],
				 &room->bytes[0], &room->nulls[0]);
	for (int i = 1; i < VECTOR_ROWS; i++)
	{
		if (kind_of_result(expression) == VECTOR_BYTES)
			room->bytes[i] = room->bytes[0];
		else
			room->integers[i] = room->integers[0];
		room->nulls[i] = is_null;
	}
	set_result(expression, is_null);
	expression->start = expression->context->start;
}

/* ---------------------------------------------------------------- evaluate by loops */

/* A null argument makes a null result. */
static const bool *
join_nulls(int count, const Vector *a, const Vector *b, bool *room)
{
	if (b == NULL || b->nulls == NULL)
		return a->nulls;
	if (a->nulls == NULL)
		return b->nulls;
	for (int i = 0; i < count; i++)
		room[i] = a->nulls[i] | b->nulls[i];
	return room;
}

static void
call_function(VectorExpression *expression, const Vector *a, const Vector *b, int row)
{
	Datum		x = vector_datum(&expression->argument[0]->type, a, row);
	Datum		value;
	bool		is_null;

	if (b == NULL)
		value = FunctionCall1(&expression->function, x);
	else
		value = FunctionCall2(&expression->function, x,
							  vector_datum(&expression->argument[1]->type, b, row));
	store_result(expression, NULL, value, false, &expression->room->integers[row], NULL, &is_null);
}

static void
evaluate_number(VectorExpression *expression)
{
	int			count = expression->context->batch->selection.count;
	VectorRoom *room = expression->room;
	const Vector *a = expression_values(expression->argument[0]);
	const Vector *b = expression->argument[1] ? expression_values(expression->argument[1]) : NULL;
	bool		done;

	expression->result.kind = kind_of_result(expression);
	expression->result.integers = room->integers;
	expression->result.nulls = join_nulls(count, a, b, room->nulls);
	if (a->kind == VECTOR_INTEGER && expression->result.kind == VECTOR_FLOAT)
	{
		kernel_to_floats(count, a->integers, room->floats);
		done = true;
	}
	else if (a->kind == VECTOR_INTEGER)
		done = kernel_integers(expression->kernel, count, a->integers, b ?
							   b->integers : NULL, room->integers);
	else
		done = kernel_floats(expression->kernel, count, a->floats, b ?
							 b->floats : NULL, room->floats);
	for (int i = 0; !done && i < count; i++)
	{
		if (expression->result.nulls == NULL || !expression->result.nulls[i])
			call_function(expression, a, b, i);
	}
}

/* true for null rows is of no meaning */
static const bool *
compare(VectorExpression *expression, bool *out)
{
	int			count = expression->context->batch->selection.count;
	KernelOperation operation = expression->kernel->operation;
	const Vector *a = expression_values(expression->argument[0]);
	const Vector *b = expression_values(expression->argument[1]);
	bool		to_constant = expression->argument[1]->kind == EXPRESSION_CONSTANT;

	if (a->kind == VECTOR_INTEGER && to_constant)
		kernel_compare_integer(operation, count, a->integers, b->integers[0], out);
	else if (a->kind == VECTOR_INTEGER)
		kernel_compare_integers(operation, count, a->integers, b->integers, out);
	else if (to_constant)
		kernel_compare_float(operation, count, a->floats, b->floats[0], out);
	else
		kernel_compare_floats(operation, count, a->floats, b->floats, out);
	return join_nulls(count, a, b, expression->room->nulls);
}

static void
test_nulls(VectorExpression *expression, bool *out)
{
	int			count = expression->context->batch->selection.count;
	const Vector *vector = expression_values(expression->argument[0]);
	bool		wanted = expression->test == IS_NULL;

	for (int i = 0; i < count; i++)
		out[i] = (vector->nulls && vector->nulls[i]) == wanted;
}

static void
set_truth(VectorExpression *expression, const bool *truth, const bool *nulls)
{
	for (int i = 0; i < expression->context->batch->selection.count; i++)
		expression->room->integers[i] = truth[i];
	expression->result.kind = VECTOR_INTEGER;
	expression->result.integers = expression->room->integers;
	expression->result.nulls = nulls;
}

static void
evaluate_step(VectorExpression *expression)
{
	const Vector *vector = expression_values(expression->argument[0]);

	expression->result.kind = VECTOR_INTEGER;
	expression->result.integers = expression->room->integers;
	expression->result.nulls = vector->nulls;
	step_values(expression->step, expression->context->batch->selection.count, vector,
				expression->room->integers);
}

/* valid until the next selection, or the next call */
const Vector *
expression_values(VectorExpression *expression)
{
	bool		truth[VECTOR_ROWS];

	switch (expression->kind)
	{
		case EXPRESSION_COLUMN:
			return vector_batch_column(expression->context->batch, expression->column);
		case EXPRESSION_CONSTANT:
			evaluate_constant(expression);
			break;
		case EXPRESSION_NUMBER:
			evaluate_number(expression);
			break;
		case EXPRESSION_COMPARISON:
			set_truth(expression, truth, compare(expression, truth));
			break;
		case EXPRESSION_NULL_TEST:
			test_nulls(expression, truth);
			set_truth(expression, truth, NULL);
			break;
		case EXPRESSION_LOGIC:
			elog(ERROR, "a condition has no value");
		case EXPRESSION_STEP:
			evaluate_step(expression);
			break;
		case EXPRESSION_ENTRY:
			evaluate_entries(expression);
			break;
		case EXPRESSION_ROW:
			evaluate_rows(expression);
			break;
	}
	return &expression->result;
}

static void
join_arms(VectorExpression *expression, bool *out)
{
	int			count = expression->context->batch->selection.count;
	ListCell   *cell;

	memset(out, expression->is_and, count);
	foreach(cell, expression->arms)
	{
		bool		arm[VECTOR_ROWS];

		expression_is_true(lfirst(cell), arm);
		for (int i = 0; i < count; i++)
			out[i] = expression->is_and ? out[i] & arm[i] : out[i] | arm[i];
	}
}

/* of a condition: which of the selected rows it is true for */
void
expression_is_true(VectorExpression *expression, bool *out)
{
	int			count = expression->context->batch->selection.count;
	const bool *nulls;

	if (expression->kind == EXPRESSION_LOGIC)
	{
		join_arms(expression, out);
		return;
	}
	if (expression->kind == EXPRESSION_COMPARISON)
		nulls = compare(expression, out);
	else if (expression->kind == EXPRESSION_NULL_TEST)
	{
		test_nulls(expression, out);
		nulls = NULL;
	}
	else if (expression->kind == EXPRESSION_ENTRY && entries_are_true(expression, out))
		nulls = NULL;
	else
	{
		const Vector *vector = expression_values(expression);

		for (int i = 0; i < count; i++)
			out[i] = vector->integers[i] != 0;
		nulls = vector->nulls;
	}
	for (int i = 0; nulls && i < count; i++)
		out[i] &= !nulls[i];
}

static KernelOperation
mirrored(KernelOperation operation)
{
	switch (operation)
	{
		case KERNEL_LESS:
			return KERNEL_GREATER;
		case KERNEL_LESS_EQUAL:
			return KERNEL_GREATER_EQUAL;
		case KERNEL_GREATER:
			return KERNEL_LESS;
		case KERNEL_GREATER_EQUAL:
			return KERNEL_LESS_EQUAL;
		default:
			return operation;
	}
}

/* Is it a condition on one column that raises no error, whatever the row? */
bool
expression_is_plain(VectorExpression *expression, PlainCondition *condition)
{
	VectorExpression *column = expression->argument[0];
	VectorExpression *constant = expression->argument[1];

	memset(condition, 0, sizeof(*condition));
	if (expression->kind == EXPRESSION_NULL_TEST)
	{
		condition->column = column->column;
		condition->is_null_test = true;
		condition->wants_null = expression->test == IS_NULL;
		return true;
	}
	if (expression->kind != EXPRESSION_COMPARISON)
		return false;
	condition->operation = expression->kernel->operation;
	if (column->kind == EXPRESSION_CONSTANT)
	{
		column = expression->argument[1];
		constant = expression->argument[0];
		condition->operation = mirrored(condition->operation);
	}
	if (column->kind != EXPRESSION_COLUMN || !constant->is_given)
		return false;
	evaluate_constant(constant);
	condition->column = column->column;
	condition->class = column->type.class;
	condition->is_null = constant->room->nulls[0];
	condition->integer = constant->room->integers[0];
	condition->number = constant->room->floats[0];
	return true;
}

/*-------------------------------------------------------------------------
 *
 * bounds.c
 *		Conditions of a query that compare a column with a constant.
 *
 * A reader that knows the least and the greatest of some values passes over them when no
 * value in between can fulfil a condition.  So only operators count that order as the
 * column's type does, by its default operator class, and that depend on no setting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/scan/bounds.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_proc.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "utils/lsyscache.h"

static void
set_function(FmgrInfo *function, Oid family, Oid left, Oid right, int strategy)
{
	Oid			operator = get_opfamily_member(family, left, right, strategy);

	if (OidIsValid(operator) && op_volatile(operator) == PROVOLATILE_IMMUTABLE)
		fmgr_info(get_opcode(operator), function);
}

/* column operator constant */
static ColumnBound *
make_bound(const Var *column, Oid operator, const Const *constant)
{
	Oid			class = GetDefaultOpClass(column->vartype, BTREE_AM_OID);
	Oid			family = OidIsValid(class) ? get_opclass_family(class) : InvalidOid;
	int			strategy = OidIsValid(family) ? get_op_opfamily_strategy(operator, family) : 0;
	ColumnBound *bound;

	if (strategy == 0 || constant->constisnull || column->varattno <= 0)
		return NULL;
	bound = palloc0(sizeof(ColumnBound));
	bound->column = column->varattno;
	bound->constant = constant->constvalue;
	if (strategy <= BTEqualStrategyNumber)
		set_function(&bound->of_least, family, column->vartype, constant->consttype,
					 strategy == BTEqualStrategyNumber ? BTLessEqualStrategyNumber : strategy);
	if (strategy >= BTEqualStrategyNumber)
		set_function(&bound->of_greatest, family, column->vartype, constant->consttype,
					 strategy == BTEqualStrategyNumber ? BTGreaterEqualStrategyNumber : strategy);
	return bound;
}

static ColumnBound *
bound_of_comparison(Node *condition, Index relid)
{
	OpExpr	   *comparison = (OpExpr *) condition;
	Oid			operator;
	Node	   *left;
	Node	   *right;

	if (!IsA(condition, OpExpr) || list_length(comparison->args) != 2)
		return NULL;
	operator = comparison->opno;
	left = linitial(comparison->args);
	right = lsecond(comparison->args);
	if (IsA(left, Const))
	{
		Node	   *constant = left;

		left = right;
		right = constant;
		operator = get_commutator(operator);
	}
	if (!OidIsValid(operator) || !IsA(left, Var) || !IsA(right, Const) || ((Var *) left)->varno != (int) relid)
		return NULL;
	return make_bound((Var *) left, operator, (Const *) right);
}

/* comparison OR column IS NULL, as the watermark's condition */
static ColumnBound *
bound_or_null(Node *condition, Index relid)
{
	BoolExpr   *either = (BoolExpr *) condition;
	ColumnBound *bound;
	NullTest   *test;

	if (!IsA(condition, BoolExpr) || either->boolop != OR_EXPR || list_length(either->args) != 2 ||
		!IsA(lsecond(either->args), NullTest))
		return NULL;
	bound = bound_of_comparison(linitial(either->args), relid);
	test = lsecond(either->args);
	if (bound == NULL || test->nulltesttype != IS_NULL || !IsA(test->arg, Var) ||
		((Var *) test->arg)->varattno != bound->column)
		return NULL;
	bound->or_null = true;
	return bound;
}

List *
bounds_find(List *conditions, Index relid)
{
	List	   *bounds = NIL;
	ListCell   *cell;

	foreach(cell, conditions)
	{
		ColumnBound *bound = bound_of_comparison(lfirst(cell), relid);

		if (bound == NULL)
			bound = bound_or_null(lfirst(cell), relid);
		if (bound != NULL)
			bounds = lappend(bounds, bound);
	}
	return bounds;
}

static bool
fulfils(const FmgrInfo *function, Datum value, Datum constant)
{
	return !OidIsValid(function->fn_oid) ||
		DatumGetBool(FunctionCall2((FmgrInfo *) function, value, constant));
}

bool
bound_allows(const ColumnBound *bound, Datum least, Datum greatest)
{
	return fulfils(&bound->of_least, least, bound->constant) &&
		fulfils(&bound->of_greatest, greatest, bound->constant);
}

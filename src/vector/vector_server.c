/*-------------------------------------------------------------------------
 *
 * vector_server.c
 *		Aggregates by the server's transition functions.
 *
 * What nodeWindowAgg.c does for an aggregate over a growing frame: its state's memory is
 * the plainer one of the two that transition functions know.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "vector/vector_server.h"

typedef struct ServerState
{
	Datum		value;
	bool		is_null;
	bool		has_value;		/* false: a strict function takes the first row's value */
} ServerState;

struct ServerAggregate
{
	ExpressionContext *context;
	MemoryContext memory;
	ValueType	argument;
	Oid			collation;
	WindowAggState *caller;
	FmgrInfo	transition;
	FmgrInfo	final;
	bool		has_final;
	int16		length;			/* of the state's type */
	bool		by_value;
	ServerState initial;
	ServerState *states;
};

static ServerState
initial_state(HeapTuple tuple, Oid type)
{
	ServerState state = {0};
	bool		is_null;
	Datum		initial = SysCacheGetAttr(AGGFNOID, tuple, Anum_pg_aggregate_agginitval, &is_null);
	Oid			input;
	Oid			parameter;

	state.is_null = is_null;
	state.has_value = !is_null;
	if (is_null)
		return state;
	getTypeInputInfo(type, &input, &parameter);
	state.value = OidInputFunctionCall(input, TextDatumGetCString(initial), parameter, -1);
	return state;
}

ServerAggregate *
server_make(ExpressionContext *context, MemoryContext memory, const Aggref *node,
			const VectorExpression *argument)
{
	MemoryContext old = MemoryContextSwitchTo(memory);
	ServerAggregate *aggregate = palloc0(sizeof(ServerAggregate));
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(node->aggfnoid));
	Form_pg_aggregate form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", node->aggfnoid);
	form = (Form_pg_aggregate) GETSTRUCT(tuple);
	aggregate->context = context;
	aggregate->memory = memory;
	aggregate->argument = *expression_type(argument);
	aggregate->collation = node->inputcollid;
	aggregate->caller = makeNode(WindowAggState);
	aggregate->caller->curaggcontext = memory;
	fmgr_info(form->aggtransfn, &aggregate->transition);
	aggregate->has_final = OidIsValid(form->aggfinalfn);
	if (aggregate->has_final)
		fmgr_info(form->aggfinalfn, &aggregate->final);
	get_typlenbyval(form->aggtranstype, &aggregate->length, &aggregate->by_value);
	aggregate->initial = initial_state(tuple, form->aggtranstype);
	ReleaseSysCache(tuple);
	MemoryContextSwitchTo(old);
	return aggregate;
}

static Datum
copy_state(ServerAggregate *aggregate, Datum value)
{
	MemoryContext old;
	Datum		copy;

	if (aggregate->by_value)
		return value;
	old = MemoryContextSwitchTo(aggregate->memory);
	copy = datumCopy(value, false, aggregate->length);
	MemoryContextSwitchTo(old);
	return copy;
}

void
server_make_room(ServerAggregate *aggregate, uint32 old, uint32 groups)
{
	Size		size = groups * sizeof(ServerState);

	if (aggregate->states == NULL)
		aggregate->states = MemoryContextAllocHuge(aggregate->memory, size);
	else
		aggregate->states = repalloc_huge(aggregate->states, size);
	for (uint32 i = old; i < groups; i++)
	{
		aggregate->states[i] = aggregate->initial;
		if (!aggregate->initial.is_null)
			aggregate->states[i].value = copy_state(aggregate, aggregate->initial.value);
	}
}

static void
call_transition(ServerAggregate *aggregate, ServerState *state, Datum value, bool is_null)
{
	LOCAL_FCINFO(call, 2);
	Datum		result;

	InitFunctionCallInfoData(*call, &aggregate->transition, 2, aggregate->collation,
							 (Node *) aggregate->caller, NULL);
	call->args[0].value = state->value;
	call->args[0].isnull = state->is_null;
	call->args[1].value = value;
	call->args[1].isnull = is_null;
	result = FunctionCallInvoke(call);
	if (!aggregate->by_value && DatumGetPointer(result) != DatumGetPointer(state->value))
	{
		Datum		old = state->value;

		if (!call->isnull)
			result = copy_state(aggregate, result);
		if (!state->is_null)
			pfree(DatumGetPointer(old));
	}
	state->value = result;
	state->is_null = call->isnull;
}

static void
add_row(ServerAggregate *aggregate, ServerState *state, Datum value, bool is_null)
{
	if (aggregate->transition.fn_strict)
	{
		if (is_null)
			return;
		if (!state->has_value)
		{
			state->value = copy_state(aggregate, value);
			state->is_null = false;
			state->has_value = true;
			return;
		}
		if (state->is_null)
			return;
	}
	call_transition(aggregate, state, value, is_null);
}

void
server_add(ServerAggregate *aggregate, const Vector *vector, const uint32 *groups, int rows)
{
	ExprContext *econtext = aggregate->context->econtext;
	MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);

	for (int i = 0; i < rows; i++)
	{
		bool		is_null = vector->nulls && vector->nulls[i];

		ResetExprContext(econtext);
		add_row(aggregate, &aggregate->states[groups ? groups[i] : 0],
				is_null ? (Datum) 0 : vector_datum(&aggregate->argument, vector, i), is_null);
	}
	MemoryContextSwitchTo(old);
}

Datum
server_result(ServerAggregate *aggregate, uint32 group, bool *is_null)
{
	ServerState *state = &aggregate->states[group];

	LOCAL_FCINFO(call, 1);
	Datum		result;

	*is_null = state->is_null;
	if (!aggregate->has_final || (aggregate->final.fn_strict && state->is_null))
		return state->value;
	InitFunctionCallInfoData(*call, &aggregate->final, 1, aggregate->collation,
							 (Node *) aggregate->caller, NULL);
	call->args[0].value = state->value;
	call->args[0].isnull = state->is_null;
	result = FunctionCallInvoke(call);
	*is_null = call->isnull;
	return result;
}

/*-------------------------------------------------------------------------
 *
 * vector_aggregate.c
 *		Aggregates of the selected rows, group by group.
 *
 * Counts, sums, averages, least and greatest values of numbers have loops here, with the
 * states and final steps of the server.  Floats are added in the order of the rows, so a
 * sum has the digits of a sequential scan.  All other aggregates are the server's
 * transition functions, called row by row (vector_server.c).
 *
 * A float beyond FLOAT_LIMIT might make the server raise an error that its state tells
 * and a sum does not.  The aggregate then is the server's from the first row on, and the
 * scan starts again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/varlena.h"

#include "compat.h"
#include "vector/vector_aggregate.h"
#include "vector/vector_distinct.h"
#include "vector/vector_numeric.h"
#include "vector/vector_server.h"

/* 2^40 squares of twice this do not overflow a double */
#define FLOAT_LIMIT 1e140

typedef enum AggregateKind
{
	AGGREGATE_COUNT,
	AGGREGATE_SUM,				/* of int2 and int4: int8 */
	AGGREGATE_SUM_BIG,			/* of int8: numeric */
	AGGREGATE_AVERAGE,			/* of int2, int4 and int8: numeric */
	AGGREGATE_FLOAT_SUM,
	AGGREGATE_FLOAT_AVERAGE,
	AGGREGATE_LEAST,
	AGGREGATE_GREATEST,
	AGGREGATE_FLOAT_LEAST,
	AGGREGATE_FLOAT_GREATEST,
	AGGREGATE_TEXT_LEAST,
	AGGREGATE_TEXT_GREATEST,
	AGGREGATE_NUMERIC_SUM,
	AGGREGATE_NUMERIC_AVERAGE,
	AGGREGATE_DISTINCT,			/* count(DISTINCT x) */
	AGGREGATE_SERVER
} AggregateKind;

static const struct
{
	Oid			function;
	AggregateKind kind;
}			kinds[] = {
	{F_COUNT_, AGGREGATE_COUNT}, {F_COUNT_ANY, AGGREGATE_COUNT},
	{F_SUM_INT2, AGGREGATE_SUM}, {F_SUM_INT4, AGGREGATE_SUM}, {F_SUM_INT8, AGGREGATE_SUM_BIG},
	{F_AVG_INT2, AGGREGATE_AVERAGE}, {F_AVG_INT4, AGGREGATE_AVERAGE},
	{F_AVG_INT8, AGGREGATE_AVERAGE},
	{F_SUM_FLOAT8, AGGREGATE_FLOAT_SUM}, {F_AVG_FLOAT4, AGGREGATE_FLOAT_AVERAGE},
	{F_AVG_FLOAT8, AGGREGATE_FLOAT_AVERAGE},
	{F_MIN_INT2, AGGREGATE_LEAST}, {F_MIN_INT4, AGGREGATE_LEAST}, {F_MIN_INT8, AGGREGATE_LEAST},
	{F_MIN_DATE, AGGREGATE_LEAST}, {F_MIN_TIME, AGGREGATE_LEAST},
	{F_MIN_TIMESTAMP, AGGREGATE_LEAST},
	{F_MIN_TIMESTAMPTZ, AGGREGATE_LEAST}, {F_MIN_MONEY, AGGREGATE_LEAST},
	{F_MAX_INT2, AGGREGATE_GREATEST}, {F_MAX_INT4, AGGREGATE_GREATEST},
	{F_MAX_INT8, AGGREGATE_GREATEST},
	{F_MAX_DATE, AGGREGATE_GREATEST}, {F_MAX_TIME, AGGREGATE_GREATEST},
	{F_MAX_TIMESTAMP, AGGREGATE_GREATEST}, {F_MAX_TIMESTAMPTZ, AGGREGATE_GREATEST},
	{F_MAX_MONEY, AGGREGATE_GREATEST},
	{F_BOOL_AND, AGGREGATE_LEAST}, {F_EVERY, AGGREGATE_LEAST}, {F_BOOL_OR, AGGREGATE_GREATEST},
	{F_MIN_FLOAT4, AGGREGATE_FLOAT_LEAST}, {F_MIN_FLOAT8, AGGREGATE_FLOAT_LEAST},
	{F_MAX_FLOAT4, AGGREGATE_FLOAT_GREATEST}, {F_MAX_FLOAT8, AGGREGATE_FLOAT_GREATEST},
	{F_MIN_TEXT, AGGREGATE_TEXT_LEAST}, {F_MAX_TEXT, AGGREGATE_TEXT_GREATEST},
	{F_SUM_FLOAT4, AGGREGATE_SERVER}, {F_SUM_MONEY, AGGREGATE_SERVER},
	{F_SUM_INTERVAL, AGGREGATE_SERVER},
	{F_AVG_INTERVAL, AGGREGATE_SERVER}, {F_SUM_NUMERIC, AGGREGATE_NUMERIC_SUM},
	{F_AVG_NUMERIC, AGGREGATE_NUMERIC_AVERAGE},
	{F_MIN_NUMERIC, AGGREGATE_SERVER}, {F_MAX_NUMERIC, AGGREGATE_SERVER},
	{F_MIN_INTERVAL, AGGREGATE_SERVER}, {F_MAX_INTERVAL, AGGREGATE_SERVER},
	{F_MIN_OID, AGGREGATE_SERVER}, {F_MAX_OID, AGGREGATE_SERVER},
	{F_VARIANCE_INT2, AGGREGATE_SERVER}, {F_VARIANCE_INT4, AGGREGATE_SERVER},
	{F_VARIANCE_INT8, AGGREGATE_SERVER}, {F_VARIANCE_FLOAT4, AGGREGATE_SERVER},
	{F_VARIANCE_FLOAT8, AGGREGATE_SERVER}, {F_VARIANCE_NUMERIC, AGGREGATE_SERVER},
	{F_STDDEV_INT2, AGGREGATE_SERVER}, {F_STDDEV_INT4, AGGREGATE_SERVER},
	{F_STDDEV_INT8, AGGREGATE_SERVER}, {F_STDDEV_FLOAT4, AGGREGATE_SERVER},
	{F_STDDEV_FLOAT8, AGGREGATE_SERVER}, {F_STDDEV_NUMERIC, AGGREGATE_SERVER},
	{F_VAR_SAMP_INT2, AGGREGATE_SERVER}, {F_VAR_SAMP_INT4, AGGREGATE_SERVER},
	{F_VAR_SAMP_INT8, AGGREGATE_SERVER}, {F_VAR_SAMP_FLOAT4, AGGREGATE_SERVER},
	{F_VAR_SAMP_FLOAT8, AGGREGATE_SERVER}, {F_VAR_SAMP_NUMERIC, AGGREGATE_SERVER},
	{F_VAR_POP_INT2, AGGREGATE_SERVER}, {F_VAR_POP_INT4, AGGREGATE_SERVER},
	{F_VAR_POP_INT8, AGGREGATE_SERVER}, {F_VAR_POP_FLOAT4, AGGREGATE_SERVER},
	{F_VAR_POP_FLOAT8, AGGREGATE_SERVER}, {F_VAR_POP_NUMERIC, AGGREGATE_SERVER},
	{F_STDDEV_SAMP_INT2, AGGREGATE_SERVER}, {F_STDDEV_SAMP_INT4, AGGREGATE_SERVER},
	{F_STDDEV_SAMP_INT8, AGGREGATE_SERVER}, {F_STDDEV_SAMP_FLOAT4, AGGREGATE_SERVER},
	{F_STDDEV_SAMP_FLOAT8, AGGREGATE_SERVER}, {F_STDDEV_SAMP_NUMERIC, AGGREGATE_SERVER},
	{F_STDDEV_POP_INT2, AGGREGATE_SERVER}, {F_STDDEV_POP_INT4, AGGREGATE_SERVER},
	{F_STDDEV_POP_INT8, AGGREGATE_SERVER}, {F_STDDEV_POP_FLOAT4, AGGREGATE_SERVER},
	{F_STDDEV_POP_FLOAT8, AGGREGATE_SERVER}, {F_STDDEV_POP_NUMERIC, AGGREGATE_SERVER},
};

typedef struct TextState
{
	char	   *data;			/* NULL: no row yet */
	uint32		length;
	uint32		capacity;
} TextState;

typedef struct VectorAggregate
{
	const Aggref *node;
	AggregateKind kind;
	VectorExpression *argument;
	VectorExpression *filter;
	ValueType	type;			/* of the argument */
	uint32		capacity;
	int64	   *rows;			/* per group that the filter has left; NULL without a filter */
	int64	   *nulls;			/* per group; NULL: none so far */
	union
	{
		int64	   *integers;
		int128	   *big;
		double	   *floats;
		TextState  *texts;
	};
	NumericSums *numeric;
	DistinctCounts *distinct;
	ServerAggregate *server;
} VectorAggregate;

struct AggregateSet
{
	ExpressionContext *context;
	MemoryContext memory;
	int			count;
	VectorAggregate *aggregate;
	uint32		capacity;
	int64	   *rows;			/* per group */
};

/* ---------------------------------------------------------------- which */

static bool
find_kind(Oid function, AggregateKind *kind)
{
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].function == function)
		{
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static bool
distinct_is_taken(const Aggref *aggregate)
{
	SortGroupClause *clause = linitial(aggregate->aggdistinct);
	Node	   *argument = (Node *) linitial_node(TargetEntry, aggregate->args)->expr;

	return aggregate->aggfnoid == F_COUNT_ANY &&
		value_equality_is_taken(exprType(argument), exprTypmod(argument),
								exprCollation(argument), clause->eqop);
}

/* The planner has looked at the arguments. */
bool
aggregate_is_taken(const Aggref *aggregate)
{
	AggregateKind kind;

	if (!find_kind(aggregate->aggfnoid, &kind))
		return false;
	if (aggregate->aggdistinct != NIL)
		return distinct_is_taken(aggregate);
	if (kind == AGGREGATE_TEXT_LEAST || kind == AGGREGATE_TEXT_GREATEST)
		return OidIsValid(aggregate->inputcollid) &&
			get_collation_isdeterministic(aggregate->inputcollid);
	return true;
}

AggregateSet *
aggregate_make(ExpressionContext *context, List *aggregates)
{
	AggregateSet *set = palloc0(sizeof(AggregateSet));
	ListCell   *cell;

	set->context = context;
	set->aggregate = palloc0(Max(list_length(aggregates), 1) * sizeof(VectorAggregate));
	foreach(cell, aggregates)
	{
		VectorAggregate *aggregate = &set->aggregate[set->count++];

		aggregate->node = lfirst_node(Aggref, cell);
		compat_check_execute(aggregate->node->aggfnoid, OBJECT_AGGREGATE);
		find_kind(aggregate->node->aggfnoid, &aggregate->kind);
		if (aggregate->node->aggdistinct != NIL)
			aggregate->kind = AGGREGATE_DISTINCT;
		if (aggregate->node->aggfilter)
			aggregate->filter = expression_compile_condition(context, aggregate->node->aggfilter);
		if (aggregate->node->args != NIL)
		{
			aggregate->argument = expression_compile(context,
													 linitial_node(TargetEntry,
																   aggregate->node->args)->expr);
			aggregate->type = *expression_type(aggregate->argument);
		}
	}
	return set;
}

/* ---------------------------------------------------------------- memory */

static void *
grow_array(MemoryContext context, void *array, uint32 old_count, uint32 count, Size size)
{
	void	   *grown;

	if (array == NULL)
		return MemoryContextAllocExtended(context, count * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	grown = repalloc_huge(array, count * size);
	memset((char *) grown + old_count * size, 0, (count - old_count) * size);
	return grown;
}

static Size
state_size(const VectorAggregate *aggregate)
{
	switch (aggregate->kind)
	{
		case AGGREGATE_COUNT:
		case AGGREGATE_NUMERIC_SUM:
		case AGGREGATE_NUMERIC_AVERAGE:
		case AGGREGATE_DISTINCT:
		case AGGREGATE_SERVER:
			return 0;
		case AGGREGATE_SUM_BIG:
		case AGGREGATE_AVERAGE:
			return sizeof(int128);
		case AGGREGATE_TEXT_LEAST:
		case AGGREGATE_TEXT_GREATEST:
			return sizeof(TextState);
		default:
			return sizeof(int64);
	}
}

/* States of groups without a row: whatever is added to one becomes the result. */
static void
set_neutral(VectorAggregate *aggregate, uint32 from, uint32 end)
{
	for (uint32 i = from; i < end; i++)
	{
		switch (aggregate->kind)
		{
			case AGGREGATE_FLOAT_SUM:
				aggregate->floats[i] = -0.0;
				break;
			case AGGREGATE_LEAST:
				aggregate->integers[i] = PG_INT64_MAX;
				break;
			case AGGREGATE_GREATEST:
				aggregate->integers[i] = PG_INT64_MIN;
				break;
			case AGGREGATE_FLOAT_LEAST:
				aggregate->floats[i] = get_float8_nan();
				break;
			case AGGREGATE_FLOAT_GREATEST:
				aggregate->floats[i] = -get_float8_infinity();
				break;
			default:
				return;
		}
	}
}

static void
make_room(AggregateSet *set, uint32 group_count)
{
	uint32		old = set->capacity;
	uint32		capacity = Max(old, 64);

	if (group_count <= old)
		return;
	while (capacity < group_count)
		capacity *= 2;
	set->rows = grow_array(set->memory, set->rows, old, capacity, sizeof(int64));
	for (int i = 0; i < set->count; i++)
	{
		VectorAggregate *aggregate = &set->aggregate[i];
		Size		size = state_size(aggregate);

		if (aggregate->filter)
			aggregate->rows = grow_array(set->memory, aggregate->rows, old, capacity,
										 sizeof(int64));
		if (aggregate->nulls)
			aggregate->nulls = grow_array(set->memory, aggregate->nulls, old, capacity,
										  sizeof(int64));
		if (size > 0)
			aggregate->integers = grow_array(set->memory, aggregate->integers, old, capacity, size);
		set_neutral(aggregate, old, capacity);
		if (aggregate->server)
			server_make_room(aggregate->server, old, capacity);
		if (aggregate->numeric)
			numeric_sums_make_room(aggregate->numeric, old, capacity);
		if (aggregate->distinct)
			distinct_make_room(aggregate->distinct, old, capacity);
	}
	set->capacity = capacity;
}

static bool
is_numeric(const VectorAggregate *aggregate)
{
	return aggregate->kind == AGGREGATE_NUMERIC_SUM || aggregate->kind == AGGREGATE_NUMERIC_AVERAGE;
}

/* Groups are gone; memory of this context is the aggregates' until the next start. */
void
aggregate_start(AggregateSet *set, MemoryContext context)
{
	set->memory = context;
	set->capacity = 0;
	set->rows = NULL;
	for (int i = 0; i < set->count; i++)
	{
		VectorAggregate *aggregate = &set->aggregate[i];

		aggregate->rows = aggregate->nulls = aggregate->integers = NULL;
		aggregate->server = aggregate->kind != AGGREGATE_SERVER ? NULL :
			server_make(set->context, context, aggregate->node, aggregate->argument);
		aggregate->numeric = is_numeric(aggregate) ? numeric_sums_make(context) : NULL;
		aggregate->distinct = aggregate->kind != AGGREGATE_DISTINCT ? NULL :
			distinct_make(context, aggregate->argument);
	}
	make_room(set, 1);
}

/* ---------------------------------------------------------------- loops */

static void
count_rows(int64 *counts, const uint32 *groups, int rows)
{
	if (groups == NULL)
	{
		counts[0] += rows;
		return;
	}
	for (int i = 0; i < rows; i++)
		counts[groups[i]]++;
}

static void
count_nulls(AggregateSet *set, VectorAggregate *aggregate, const uint32 *groups, int rows,
			const bool *nulls)
{
	if (nulls == NULL)
		return;
	if (aggregate->nulls == NULL)
		aggregate->nulls = grow_array(set->memory, NULL, 0, set->capacity, sizeof(int64));
	for (int i = 0; i < rows; i++)
		aggregate->nulls[groups ? groups[i] : 0] += nulls[i];
}

/* Runs the statement for each row whose value is not null; i is the row, g its group. */
#define EACH_ROW(statement) \
	do { \
		if (groups == NULL && nulls == NULL) \
		{ \
			for (int i = 0; i < rows; i++) \
			{ \
				const uint32 g = 0; \
				statement; \
			} \
		} \
		else if (nulls == NULL) \
		{ \
			for (int i = 0; i < rows; i++) \
			{ \
				const uint32 g = groups[i]; \
				statement; \
			} \
		} \
		else \
		{ \
			for (int i = 0; i < rows; i++) \
			{ \
				const uint32 g = groups ? groups[i] : 0; \
				if (!nulls[i]) \
					statement; \
			} \
		} \
	} while (0)

static void
add_integers(int64 *sums, const int64 *values, const bool *nulls, const uint32 *groups, int rows)
{
	EACH_ROW(sums[g] += values[i]);
}

static void
add_big(int128 *sums, const int64 *values, const bool *nulls, const uint32 *groups, int rows)
{
	EACH_ROW(sums[g] += values[i]);
}

/* in the order of the rows */
static void
add_floats(double *sums, const double *values, const bool *nulls, const uint32 *groups, int rows)
{
	EACH_ROW(sums[g] += values[i]);
}

static bool
floats_are_moderate(const double *values, const bool *nulls, int rows)
{
	bool		bad = false;

	if (nulls)
	{
		for (int i = 0; i < rows; i++)
			bad |= !nulls[i] & !(fabs(values[i]) <= FLOAT_LIMIT);
	}
	else
	{
		for (int i = 0; i < rows; i++)
			bad |= !(fabs(values[i]) <= FLOAT_LIMIT);
	}
	return !bad;
}

/* How many rows of the group have been added before this batch: does the state have a value? */
static int64
added_before(const AggregateSet *set, const VectorAggregate *aggregate, uint32 group)
{
	int64		rows = aggregate->rows ? aggregate->rows[group] : set->rows[group];

	return aggregate->nulls ? rows - aggregate->nulls[group] : rows;
}

/* Of equal floats the server keeps the later one: -0 and 0 look different. */
static void
least_integers(int64 *states, const int64 *values, const bool *nulls, const uint32 *groups,
			   int rows)
{
	EACH_ROW(states[g] = Min(states[g], values[i]));
}

static void
greatest_integers(int64 *states, const int64 *values, const bool *nulls, const uint32 *groups,
				  int rows)
{
	EACH_ROW(states[g] = Max(states[g], values[i]));
}

static void
least_floats(double *states, const double *values, const bool *nulls, const uint32 *groups,
			 int rows)
{
	EACH_ROW(if (!float8_lt(states[g], values[i])) states[g] = values[i]);
}

static void
greatest_floats(double *states, const double *values, const bool *nulls, const uint32 *groups,
				int rows)
{
	EACH_ROW(if (!float8_gt(states[g], values[i])) states[g] = values[i]);
}

static void
keep_text(AggregateSet *set, TextState *state, ByteView bytes)
{
	if (state->data == NULL || bytes.length > state->capacity)
	{
		state->capacity = Max(bytes.length, 16);
		state->data = state->data ? repalloc(state->data, state->capacity) :
			MemoryContextAlloc(set->memory, state->capacity);
	}
	memcpy(state->data, bytes.data, bytes.length);
	state->length = bytes.length;
}

static void
extreme_texts(AggregateSet *set, VectorAggregate *aggregate, const Vector *vector,
			  const uint32 *groups, int rows)
{
	int			sign = aggregate->kind == AGGREGATE_TEXT_LEAST ? -1 : 1;
	Oid			collation = aggregate->node->inputcollid;

	for (int i = 0; i < rows; i++)
	{
		TextState  *state = &aggregate->texts[groups ? groups[i] : 0];
		ByteView	bytes;

		if (vector->nulls && vector->nulls[i])
			continue;
		bytes = vector_bytes(vector, i);
		if (state->data != NULL && state->length == bytes.length &&
			memcmp(state->data, bytes.data, bytes.length) == 0)
			continue;
		if (state->data == NULL ||
			varstr_cmp(bytes.data, bytes.length, state->data, state->length, collation) * sign > 0)
			keep_text(set, state, bytes);
	}
}

/* false: the scan starts again */
static bool
add_values(AggregateSet *set, VectorAggregate *aggregate, const Vector *vector,
		   const uint32 *groups, int rows)
{
	const bool *nulls = vector->nulls;

	switch (aggregate->kind)
	{
		case AGGREGATE_COUNT:
			break;
		case AGGREGATE_SUM:
			add_integers(aggregate->integers, vector->integers, nulls, groups, rows);
			break;
		case AGGREGATE_SUM_BIG:
		case AGGREGATE_AVERAGE:
			add_big(aggregate->big, vector->integers, nulls, groups, rows);
			break;
		case AGGREGATE_FLOAT_SUM:
		case AGGREGATE_FLOAT_AVERAGE:
			if (!floats_are_moderate(vector->floats, nulls, rows))
			{
				aggregate->kind = AGGREGATE_SERVER;
				return false;
			}
			add_floats(aggregate->floats, vector->floats, nulls, groups, rows);
			break;
		case AGGREGATE_LEAST:
			least_integers(aggregate->integers, vector->integers, nulls, groups, rows);
			break;
		case AGGREGATE_GREATEST:
			greatest_integers(aggregate->integers, vector->integers, nulls, groups, rows);
			break;
		case AGGREGATE_FLOAT_LEAST:
			least_floats(aggregate->floats, vector->floats, nulls, groups, rows);
			break;
		case AGGREGATE_FLOAT_GREATEST:
			greatest_floats(aggregate->floats, vector->floats, nulls, groups, rows);
			break;
		case AGGREGATE_TEXT_LEAST:
		case AGGREGATE_TEXT_GREATEST:
			extreme_texts(set, aggregate, vector, groups, rows);
			break;
		case AGGREGATE_NUMERIC_SUM:
		case AGGREGATE_NUMERIC_AVERAGE:
			numeric_sums_add(aggregate->numeric, vector, groups, rows);
			break;
		case AGGREGATE_DISTINCT:
			distinct_add(aggregate->distinct, vector, groups, rows);
			break;
		case AGGREGATE_SERVER:
			server_add(aggregate->server, vector, groups, rows);
			break;
	}
	return true;
}

/* the groups of the rows that the aggregate's own condition leaves, which become the selection */
static const uint32 *
apply_filter(AggregateSet *set, VectorAggregate *aggregate, const uint32 *groups,
			 uint16 *selected, uint32 *room)
{
	VectorBatch *batch = set->context->batch;
	bool		keep[VECTOR_ROWS];
	int			rows = batch->selection.count;
	int			kept = 0;

	expression_is_true(aggregate->filter, keep);
	vector_batch_select(batch, keep, selected);
	if (groups == NULL)
		return NULL;
	for (int i = 0; i < rows; i++)
	{
		room[kept] = groups[i];
		kept += keep[i];
	}
	return room;
}

static bool
add_one(AggregateSet *set, VectorAggregate *aggregate, const uint32 *groups)
{
	VectorBatch *batch = set->context->batch;
	VectorSelection all = batch->selection;
	uint16		selected[VECTOR_SELECTION_ROOM];
	uint32		room[VECTOR_ROWS];
	bool		added = true;

	if (aggregate->filter)
		groups = apply_filter(set, aggregate, groups, selected, room);
	if (aggregate->argument && batch->selection.count > 0)
	{
		const Vector *vector = expression_values(aggregate->argument);

		added = add_values(set, aggregate, vector, groups, batch->selection.count);
		count_nulls(set, aggregate, groups, batch->selection.count, vector->nulls);
	}
	if (aggregate->filter)
		count_rows(aggregate->rows, groups, batch->selection.count);
	batch->selection = all;
	return added;
}

/*
 * Adds the selected rows, of which groups has the groups, or is NULL when there is only
 * one.  False: the scan has to start again with the first row.
 */
bool
aggregate_add(AggregateSet *set, const uint32 *groups, uint32 group_count)
{
	make_room(set, group_count);
	for (int i = 0; i < set->count; i++)
	{
		if (!add_one(set, &set->aggregate[i], groups))
			return false;
	}
	count_rows(set->rows, groups, set->context->batch->selection.count);
	return true;
}

/* ---------------------------------------------------------------- results */

/* The server's average is this quotient. */
static Datum
average(Datum sum, int64 count)
{
	return DirectFunctionCall2(numeric_div, sum, NumericGetDatum(int64_to_numeric(count)));
}

Datum
aggregate_result(AggregateSet *set, int number, uint32 group, bool *is_null)
{
	VectorAggregate *aggregate = &set->aggregate[number];
	int64		count;

	*is_null = false;
	if (aggregate->kind == AGGREGATE_SERVER)
		return server_result(aggregate->server, group, is_null);
	if (aggregate->kind == AGGREGATE_DISTINCT)
		return Int64GetDatum(distinct_count(aggregate->distinct, group));
	count = added_before(set, aggregate, group);
	if (aggregate->kind == AGGREGATE_COUNT)
		return Int64GetDatum(count);
	*is_null = count == 0;
	if (*is_null)
		return (Datum) 0;
	switch (aggregate->kind)
	{
		case AGGREGATE_SUM:
			return Int64GetDatum(aggregate->integers[group]);
		case AGGREGATE_SUM_BIG:
			return value_numeric(aggregate->big[group], 0);
		case AGGREGATE_AVERAGE:
			return average(value_numeric(aggregate->big[group], 0), count);
		case AGGREGATE_NUMERIC_SUM:
			return numeric_sums_total(aggregate->numeric, group);
		case AGGREGATE_NUMERIC_AVERAGE:
			return average(numeric_sums_total(aggregate->numeric, group), count);
		case AGGREGATE_FLOAT_SUM:
			return Float8GetDatum(aggregate->floats[group]);
		case AGGREGATE_FLOAT_AVERAGE:
			return Float8GetDatum(aggregate->floats[group] / (float8) count);
		case AGGREGATE_LEAST:
		case AGGREGATE_GREATEST:
			return value_from_integer(&aggregate->type, aggregate->integers[group]);
		case AGGREGATE_FLOAT_LEAST:
		case AGGREGATE_FLOAT_GREATEST:
			return value_from_float(&aggregate->type, aggregate->floats[group]);
		default:
			return PointerGetDatum(cstring_to_text_with_len(aggregate->texts[group].data,
															aggregate->texts[group].length));
	}
}

/*-------------------------------------------------------------------------
 *
 * vector_numeric.c
 *		Sums of numeric values.
 *
 * Values that are integers of one scale are added as such.  When another scale or
 * another form comes, the sum so far goes to a numeric.  The server's addition keeps the
 * larger of two scales, as its sum does, and knows NaN and the infinities.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "vector/vector_numeric.h"

typedef struct NumericSum
{
	int128		sum;			/* of integers */
	int			scale;			/* of them; -1: there are none */
	Numeric		others;			/* NULL: there are none */
} NumericSum;

struct NumericSums
{
	MemoryContext context;
	MemoryContext scratch;
	NumericSum *sums;			/* per group */
};

NumericSums *
numeric_sums_make(MemoryContext context)
{
	NumericSums *sums = MemoryContextAllocZero(context, sizeof(NumericSums));

	sums->context = context;
	sums->scratch = AllocSetContextCreate(context, "spice numeric sums", ALLOCSET_SMALL_SIZES);
	return sums;
}

void
numeric_sums_make_room(NumericSums *sums, uint32 old, uint32 groups)
{
	Size		size = groups * sizeof(NumericSum);

	if (sums->sums == NULL)
		sums->sums = MemoryContextAllocHuge(sums->context, size);
	else
		sums->sums = repalloc_huge(sums->sums, size);
	for (uint32 i = old; i < groups; i++)
		sums->sums[i] = (NumericSum) {0, -1, NULL};
}

static Datum
add(Numeric others, Datum value)
{
	return others ? DirectFunctionCall2(numeric_add, NumericGetDatum(others), value) : value;
}

static void
add_other(NumericSums *sums, NumericSum *sum, Datum value)
{
	Numeric		total = DatumGetNumeric(add(sum->others, value));
	Numeric		kept = MemoryContextAlloc(sums->context, VARSIZE(total));

	memcpy(kept, total, VARSIZE(total));
	if (sum->others)
		pfree(sum->others);
	sum->others = kept;
}

static void
change_scale(NumericSums *sums, NumericSum *sum, int scale)
{
	MemoryContext old = MemoryContextSwitchTo(sums->scratch);

	if (sum->scale >= 0)
		add_other(sums, sum, value_numeric(sum->sum, sum->scale));
	sum->sum = 0;
	sum->scale = scale;
	MemoryContextSwitchTo(old);
	MemoryContextReset(sums->scratch);
}

static void
add_integers(NumericSums *sums, const Vector *vector, const uint32 *groups, int rows)
{
	for (int i = 0; i < rows; i++)
	{
		NumericSum *sum = &sums->sums[groups ? groups[i] : 0];

		if (vector->nulls && vector->nulls[i])
			continue;
		if (sum->scale != vector->scale)
			change_scale(sums, sum, vector->scale);
		sum->sum += vector->integers[i];
	}
}

static void
add_others(NumericSums *sums, const Vector *vector, const uint32 *groups, int rows)
{
	ValueType	type = value_type(NUMERICOID, -1, InvalidOid);
	MemoryContext old = MemoryContextSwitchTo(sums->scratch);

	for (int i = 0; i < rows; i++)
	{
		if (vector->nulls && vector->nulls[i])
			continue;
		add_other(sums, &sums->sums[groups ? groups[i] : 0], vector_datum(&type, vector, i));
		MemoryContextReset(sums->scratch);
	}
	MemoryContextSwitchTo(old);
}

void
numeric_sums_add(NumericSums *sums, const Vector *vector, const uint32 *groups, int rows)
{
	if (vector->kind == VECTOR_INTEGER)
		add_integers(sums, vector, groups, rows);
	else
		add_others(sums, vector, groups, rows);
}

/* of a group that has a row */
Datum
numeric_sums_total(const NumericSums *sums, uint32 group)
{
	const NumericSum *sum = &sums->sums[group];

	if (sum->scale < 0)
		return NumericGetDatum(sum->others);
	return add(sum->others, value_numeric(sum->sum, sum->scale));
}

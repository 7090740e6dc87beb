/*-------------------------------------------------------------------------
 *
 * planted.c
 *		Faults that the sanitizers and valgrind must find.
 *
 * Compiled into the library of test/sanitize and test/valgrind alone: a run in
 * which these are not reported is one that would not have reported anything
 * else either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

PG_FUNCTION_INFO_V1(planted_overflow);
PG_FUNCTION_INFO_V1(planted_shift);
PG_FUNCTION_INFO_V1(planted_unset);

/* reads the byte behind as many as it is told */
Datum
planted_overflow(PG_FUNCTION_ARGS)
{
	volatile char *bytes = malloc(PG_GETARG_INT32(0));

	PG_RETURN_INT32(bytes[PG_GETARG_INT32(0)]);
}

/* shifts by as many bits as it is told */
Datum
planted_shift(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(1 << PG_GETARG_INT32(0));
}

/* decides by a value that was never set */
Datum
planted_unset(PG_FUNCTION_ARGS)
{
	volatile int *value = malloc(PG_GETARG_INT32(0));

	if (*value == 1)
		ereport(NOTICE, errmsg("it was 1"));
	PG_RETURN_VOID();
}

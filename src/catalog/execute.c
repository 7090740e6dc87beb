/*-------------------------------------------------------------------------
 *
 * execute.c
 *		Runs SQL on the catalog by SPI, and reads what it returns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/hsearch.h"

#include "catalog/execute.h"

void
catalog_execute(const char *command, int nargs, Oid *types, Datum *values,
				const char *nulls)
{
	int			result = SPI_execute_with_args(command, nargs, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

/* a plan kept for the life of the process, by the address of its text */
typedef struct SavedPlan
{
	const char *command;
	SPIPlanPtr	plan;
} SavedPlan;

static SPIPlanPtr
saved_plan(const char *command, int nargs, Oid *types)
{
	static HTAB *plans;
	SavedPlan  *saved;
	bool		found;

	if (plans == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(char *), .entrysize = sizeof(SavedPlan)};

		plans = hash_create("spice plans", 32, &control, HASH_ELEM | HASH_BLOBS);
	}
	saved = hash_search(plans, &command, HASH_FIND, NULL);
	if (saved == NULL)
	{
		/* none of them would gain from knowing the values */
		SPIPlanPtr	plan = SPI_prepare_cursor(command, nargs, types, CURSOR_OPT_GENERIC_PLAN);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		saved = hash_search(plans, &command, HASH_ENTER, &found);
		saved->plan = plan;
	}
	return saved->plan;
}

void
catalog_execute_saved(const char *command, int nargs, Oid *types, Datum *values,
					  const char *nulls)
{
	int			result = SPI_execute_plan(saved_plan(command, nargs, types), values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
}

void
catalog_run(const char *command)
{
	SPI_connect();
	catalog_execute(command, 0, NULL, NULL, NULL);
	SPI_finish();
}

char *
catalog_text(int row, int column, MemoryContext context)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value == NULL ? NULL : MemoryContextStrdup(context, value);
}

Datum
catalog_datum(int row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

int64
catalog_number(int column, int64 absent)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return value == NULL ? absent : strtoll(value, NULL, 10);
}

bool
catalog_bool(int row, int column)
{
	bool		isnull;
	Datum		value = catalog_datum(row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

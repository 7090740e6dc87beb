/*-------------------------------------------------------------------------
 *
 * execute.c
 *		Runs SQL on the catalog by SPI, and reads what it returns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "catalog/execute.h"
#include "catalog/rights.h"

void
catalog_add(CatalogArguments *arguments, Oid type, Datum value, bool isnull)
{
	if (arguments->n == CATALOG_MAX_ARGUMENTS)
		elog(ERROR, "too many arguments");
	arguments->types[arguments->n] = type;
	arguments->values[arguments->n] = value;
	arguments->nulls[arguments->n] = isnull ? 'n' : ' ';
	arguments->n++;
}

void
catalog_add_text(CatalogArguments *arguments, const char *value)
{
	catalog_add(arguments, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
catalog_add_int(CatalogArguments *arguments, int64 value)
{
	catalog_add(arguments, INT8OID, Int64GetDatum(value), false);
}

void
catalog_add_oid(CatalogArguments *arguments, Oid value)
{
	catalog_add(arguments, OIDOID, ObjectIdGetDatum(value), !OidIsValid(value));
}

void
catalog_add_bool(CatalogArguments *arguments, bool value)
{
	catalog_add(arguments, BOOLOID, BoolGetDatum(value), false);
}

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

static CatalogRows *
copy_rows(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	CatalogRows *rows = palloc0(sizeof(CatalogRows));

	rows->n = SPI_processed;
	if (SPI_tuptable != NULL)
	{
		rows->desc = CreateTupleDescCopy(SPI_tuptable->tupdesc);
		rows->tuples = palloc(sizeof(HeapTuple) * Max(rows->n, 1));
		for (uint64 row = 0; row < rows->n; row++)
			rows->tuples[row] = heap_copytuple(SPI_tuptable->vals[row]);
	}
	MemoryContextSwitchTo(old);
	return rows;
}

CatalogRows *
catalog_query(const char *command, const CatalogArguments *arguments)
{
	static const CatalogArguments none = {0};
	CatalogArguments *given = unconstify(CatalogArguments *, arguments ? arguments : &none);
	MemoryContext context = CurrentMemoryContext;
	CatalogRights rights;
	CatalogRows *rows;
	int			result;

	catalog_enter(&rights);
	SPI_connect();
	result = SPI_execute_plan(saved_plan(command, given->n, given->types), given->values, given->nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	rows = copy_rows(context);
	SPI_finish();
	catalog_leave(&rights);
	return rows;
}

static int
column_number(const CatalogRows *rows, const char *column)
{
	int			number = SPI_fnumber(rows->desc, column);

	if (number <= 0)
		elog(ERROR, "the catalog's query has no column \"%s\"", column);
	return number;
}

Datum
catalog_get(const CatalogRows *rows, uint64 row, const char *column, bool *isnull)
{
	return heap_getattr(rows->tuples[row], column_number(rows, column), rows->desc, isnull);
}

char *
catalog_get_text(const CatalogRows *rows, uint64 row, const char *column)
{
	return SPI_getvalue(rows->tuples[row], rows->desc, column_number(rows, column));
}

int64
catalog_get_int(const CatalogRows *rows, uint64 row, const char *column, int64 absent)
{
	char	   *text = catalog_get_text(rows, row, column);

	return text == NULL ? absent : strtoll(text, NULL, 10);
}

bool
catalog_get_bool(const CatalogRows *rows, uint64 row, const char *column)
{
	bool		isnull;
	Datum		value = catalog_get(rows, row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

Oid
catalog_get_oid(const CatalogRows *rows, uint64 row, const char *column)
{
	bool		isnull;
	Datum		value = catalog_get(rows, row, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

List *
catalog_get_texts(const CatalogRows *rows, const char *column)
{
	List	   *texts = NIL;

	for (uint64 row = 0; row < rows->n; row++)
		texts = lappend(texts, catalog_get_text(rows, row, column));
	return texts;
}

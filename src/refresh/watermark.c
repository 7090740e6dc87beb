/*-------------------------------------------------------------------------
 *
 * watermark.c
 *		The newest time a table holds, and what it means for the next refresh.
 *
 * The watermark is always read from the table, which has an index for it.  So the
 * next refresh starts from the rows that are there, whatever retention or another
 * session has deleted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "compat.h"
#include "refresh/watermark.h"
#include "percent.h"

/* Times without a zone are up to this much ahead of UTC, and clocks differ, too. */
#define FUTURE_MS	((int64) 24 * 60 * 60 * 1000)

/* What the values of a time_column are. */
typedef enum TimeKind
{
	TIME_WITH_ZONE,
	TIME_WITHOUT_ZONE,
	TIME_DATE,
	TIME_UNIX_SECONDS,
	TIME_UNIX_MILLIS,
	TIME_TEXT					/* ISO 8601 */
} TimeKind;

static bool
format_is(const Dataset *dataset, const char *format)
{
	return dataset->time_format != NULL && strcmp(dataset->time_format, format) == 0;
}

pg_noreturn static void
refuse_type(const Dataset *dataset, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 dataset->time_format == NULL ?
			 errmsg("time_column \"%s\" of dataset \"%s\" has type %s, which is no time",
					dataset->time_column, dataset->name, format_type_be(type)) :
			 errmsg("time_column \"%s\" of dataset \"%s\" has type %s, which does not agree with time_format %s",
					dataset->time_column, dataset->name, format_type_be(type), dataset->time_format),
			 errhint("time_format is timestamptz, timestamp or date for columns of that type, unix_seconds or unix_millis for numbers, ISO8601 for text and for columns whose text was read as a time.")));
}

static TimeKind
time_kind(const Dataset *dataset, Oid type)
{
	bool		unset = dataset->time_format == NULL;

	switch (type)
	{
		case TIMESTAMPTZOID:
			if (unset || format_is(dataset, "timestamptz") || format_is(dataset, "ISO8601"))
				return TIME_WITH_ZONE;
			break;
		case TIMESTAMPOID:
			if (unset || format_is(dataset, "timestamp") || format_is(dataset, "ISO8601"))
				return TIME_WITHOUT_ZONE;
			break;
		case DATEOID:
			if (unset || format_is(dataset, "date") || format_is(dataset, "ISO8601"))
				return TIME_DATE;
			break;
		case TEXTOID:
		case VARCHAROID:
			if (unset || format_is(dataset, "ISO8601"))
				return TIME_TEXT;
			break;
		case INT4OID:
		case INT8OID:
		case FLOAT8OID:
		case NUMERICOID:
			if (format_is(dataset, "unix_seconds"))
				return TIME_UNIX_SECONDS;
			if (format_is(dataset, "unix_millis"))
				return TIME_UNIX_MILLIS;
			break;
	}
	refuse_type(dataset, type);
}

static Oid
column_type(const Dataset *dataset, Oid table)
{
	AttrNumber	attnum = get_attnum(table, dataset->time_column);

	if (attnum == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("time_column \"%s\" of dataset \"%s\" is not a column of its table",
						dataset->time_column, dataset->name)));
	return get_atttype(table, attnum);
}

/* The column as an expression that is ordered by time. */
static char *
time_value(TimeKind kind, const char *column)
{
	return kind == TIME_TEXT ? psprintf("%s::pg_catalog.timestamptz", column) : pstrdup(column);
}

/* An expression: the value, less so many ms. */
static char *
subtract_ms(TimeKind kind, const char *value, int64 ms)
{
	switch (kind)
	{
		case TIME_DATE:
			return psprintf("(%s OPERATOR(pg_catalog.-) %lld)", value, (long long) ((ms + 86399999) / 86400000));
		case TIME_UNIX_SECONDS:
			return psprintf("(%s OPERATOR(pg_catalog.-) %lld)", value, (long long) ((ms + 999) / 1000));
		case TIME_UNIX_MILLIS:
			return psprintf("(%s OPERATOR(pg_catalog.-) %lld)", value, (long long) ms);
		default:
			return psprintf("(%s OPERATOR(pg_catalog.-) interval '%lld ms')", value, (long long) ms);
	}
}

/* The present as a value of the kind; times without a zone are UTC. */
static const char *
present_time(TimeKind kind)
{
	switch (kind)
	{
		case TIME_WITHOUT_ZONE:
			return "(pg_catalog.now() AT TIME ZONE 'UTC')";
		case TIME_DATE:
			return "(pg_catalog.now() AT TIME ZONE 'UTC')::pg_catalog.date";
		case TIME_UNIX_SECONDS:
			return "extract(epoch FROM pg_catalog.now())";
		case TIME_UNIX_MILLIS:
			return "(extract(epoch FROM pg_catalog.now()) OPERATOR(pg_catalog.*) 1000)";
		default:
			return "pg_catalog.now()";
	}
}

/* An expression: the value as the source reads it. */
static char *
source_text(TimeKind kind, const char *value)
{
	switch (kind)
	{
		case TIME_WITHOUT_ZONE:
			return psprintf("pg_catalog.to_char(%s, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", value);
		case TIME_DATE:
			return psprintf("pg_catalog.to_char(%s, 'YYYY-MM-DD')", value);
		case TIME_UNIX_SECONDS:
		case TIME_UNIX_MILLIS:
			return psprintf("pg_catalog.floor(%s)::pg_catalog.text", value);
		default:
			return psprintf("pg_catalog.to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", value);
	}
}

static char *
is_finite(TimeKind kind, const char *value)
{
	if (kind == TIME_UNIX_SECONDS || kind == TIME_UNIX_MILLIS)
		return psprintf("(%s)::pg_catalog.text OPERATOR(pg_catalog.<>) ALL ('{Infinity,NaN}'::pg_catalog.text[])", value);
	return psprintf("pg_catalog.isfinite(%s)", value);
}

Watermark *
watermark_read(const Dataset *dataset, Oid table)
{
	MemoryContext context = CurrentMemoryContext;
	TimeKind	kind = time_kind(dataset, column_type(dataset, table));
	const char *column = quote_identifier(dataset->time_column);
	Watermark  *watermark = NULL;
	StringInfoData query;
	CatalogRights rights;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT newest::pg_catalog.text, floor::pg_catalog.text, %s, %s, %s OPERATOR(pg_catalog.>) %s FROM (SELECT newest, %s AS floor FROM"
					 " (SELECT pg_catalog.max(%s) AS newest FROM %s) a) b WHERE newest IS NOT NULL",
					 source_text(kind, "floor"), is_finite(kind, "newest"),
					 subtract_ms(kind, "newest", dataset->refresh_append_overlap_ms + FUTURE_MS), present_time(kind),
					 subtract_ms(kind, "newest", dataset->refresh_append_overlap_ms),
					 time_value(kind, column),
					 catalog_relation_name(table));
	catalog_enter_unfiltered(dataset, &rights);
	SPI_connect();
	catalog_execute(query.data, 0, NULL, NULL, NULL);
	if (SPI_processed > 0 && catalog_text(0, 4, context)[0] != 't')
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the newest \"%s\" of dataset \"%s\" is infinite", dataset->time_column, dataset->name),
				 errdetail("Nothing can be newer, so nothing would ever be appended."),
				 errhint("Leave such rows out with refresh_sql, and delete those that are there.")));
	if (SPI_processed > 0)
	{
		watermark = MemoryContextAlloc(context, sizeof(Watermark));
		watermark->newest = catalog_text(0, 1, context);
		watermark->floor = catalog_text(0, 2, context);
		watermark->for_source = catalog_text(0, 3, context);
		watermark->future = catalog_text(0, 5, context)[0] == 't';
	}
	SPI_finish();
	catalog_leave(&rights);
	return watermark;
}

/* An expression: the latest value that refresh_append_max_future allows. */
static char *
latest_time(const Dataset *dataset, TimeKind kind)
{
	return subtract_ms(kind, present_time(kind), -dataset->refresh_append_max_future_ms);
}

char *
watermark_beyond(const Dataset *dataset, Oid table)
{
	MemoryContext context = CurrentMemoryContext;
	TimeKind	kind = time_kind(dataset, column_type(dataset, table));
	char	   *beyond = NULL;
	StringInfoData query;
	CatalogRights rights;

	if (dataset->refresh_append_max_future_ms == 0)
		return NULL;
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT newest::pg_catalog.text FROM (SELECT pg_catalog.max(%s) AS newest FROM %s) a"
					 " WHERE newest OPERATOR(pg_catalog.>) %s",
					 time_value(kind, quote_identifier(dataset->time_column)),
					 catalog_relation_name(table), latest_time(dataset, kind));
	catalog_enter_unfiltered(dataset, &rights);
	SPI_connect();
	catalog_execute(query.data, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		beyond = catalog_text(0, 1, context);
	SPI_finish();
	catalog_leave(&rights);
	return beyond;
}

char *
future_condition(const Dataset *dataset, Oid type)
{
	TimeKind	kind = time_kind(dataset, type);
	char	   *column = psprintf("q.%s", quote_identifier(dataset->time_column));

	return psprintf("(%s OPERATOR(pg_catalog.<=) %s OR %s IS NULL)", time_value(kind, column),
					latest_time(dataset, kind), column);
}

char *
watermark_condition(const Dataset *dataset, const Watermark *watermark, Oid type)
{
	TimeKind	kind = time_kind(dataset, type);
	const char *column = psprintf("q.%s", quote_identifier(dataset->time_column));

	return psprintf("(%s OPERATOR(pg_catalog.>=) %s::%s OR %s IS NULL)", time_value(kind, column),
					quote_literal_cstr(watermark->floor),
					kind == TIME_TEXT ? "pg_catalog.timestamptz" : format_type_be(type), column);
}

/*
 * With a constant time, because foreign data wrappers do not push down conditions
 * that call now().
 */
char *
window_condition(const Dataset *dataset, Oid type)
{
	TimeKind	kind = time_kind(dataset, type);
	const char *column = psprintf("q.%s", quote_identifier(dataset->time_column));
	char	   *floor = subtract_ms(kind, present_time(kind), dataset->refresh_data_window_ms);
	MemoryContext context = CurrentMemoryContext;
	CatalogRights rights;

	catalog_enter_unfiltered(dataset, &rights);
	SPI_connect();
	catalog_execute(psprintf("SELECT (%s%s)::pg_catalog.text", type == INT4OID || type == INT8OID ? "pg_catalog.ceil" : "", floor),
					0, NULL, NULL, NULL);
	floor = catalog_text(0, 1, context);
	SPI_finish();
	catalog_leave(&rights);
	return psprintf("(%s OPERATOR(pg_catalog.>=) %s::%s OR %s IS NULL)", time_value(kind, column), quote_literal_cstr(floor),
					kind == TIME_TEXT ? "pg_catalog.timestamptz" : format_type_be(type), column);
}

char *
retention_condition(const Dataset *dataset)
{
	TimeKind	kind = time_kind(dataset, column_type(dataset, dataset->relation));

	return psprintf("%s OPERATOR(pg_catalog.<) %s", time_value(kind, quote_identifier(dataset->time_column)),
					subtract_ms(kind, present_time(kind), dataset->retention_period_ms));
}

char *
watermark_query(const Dataset *dataset, const Watermark *watermark)
{
	StringInfoData query;
	const char *mark;

	if (dataset->http_append_query == NULL || watermark == NULL)
		return NULL;
	mark = strstr(dataset->http_append_query, "{watermark}");
	if (mark == NULL)
		return NULL;
	initStringInfo(&query);
	appendBinaryStringInfo(&query, dataset->http_append_query, (int) (mark - dataset->http_append_query));
	for (const char *p = watermark->for_source; *p != '\0'; p++)
	{
		char		encoded[PERCENT_LENGTH];

		appendBinaryStringInfo(&query, encoded, (int) percent_encode(*p, encoded));
	}
	appendStringInfoString(&query, mark + strlen("{watermark}"));
	return query.data;
}

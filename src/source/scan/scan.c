/*-------------------------------------------------------------------------
 *
 * scan.c
 *		The records of a spool as tuples of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "source/format/bytes.h"
#include "source/scan/json_records.h"
#include "source/scan/parquet_records.h"
#include "source/scan/records.h"
#include "source/scan/scan.h"
#include "source/scan/tuple_writer.h"
#include "source/scan/typing.h"

struct SourceScan
{
	const RecordFormat *format;
	TupleDesc	desc;
	char	  **fields;			/* by column */
	Spool	   *spool;
	int			document;		/* its number in the spool */
	const SpoolPart *part;		/* describes it, or NULL */
	SpoolCursor cursor;
	RecordReader *reader;		/* NULL: not open */
	ColumnTyper *typers;		/* by column; type InvalidOid: not asked for */
	bool	   *met;			/* by column: some record had it */
	int			n_unmet;		/* columns that are asked for and that none had yet */
	TupleWriter writer;
	ValuePlace	place;
	ErrorContextCallback context_line;
	ErrorContextCallback part_line;

	ScanTotals	before;			/* of the documents before; of all, for invalid values */

	/* values of the document as a whole, of columns that no record has */
	int			n_part_columns;
	int		   *part_columns;	/* attribute numbers */
	Datum	   *part_datums;
	bool	   *part_nulls;
	bool		(*wanted) (void *arg, const SpoolPart *part);
	void	   *wanted_arg;
	List	   *bounds;			/* of ColumnBound * */
	MemoryContext scan_context; /* lives as long as the scan */
	MemoryContext reader_context;	/* until it is opened anew */
	MemoryContext row_context;	/* until the next row */
};

SourceScan *
scan_create(const RecordFormat *format, TupleDesc desc, char **fields, List *used,
			MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "spice scan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	SourceScan *scan = palloc0(sizeof(SourceScan));

	scan->scan_context = context;
	scan->reader_context = AllocSetContextCreate(context, "spice reader", ALLOCSET_SMALL_SIZES);
	scan->row_context = AllocSetContextCreate(context, "spice row", ALLOCSET_DEFAULT_SIZES);
	scan->format = format;
	scan->desc = desc;
	scan->fields = fields;
	scan->typers = palloc0(sizeof(ColumnTyper) * desc->natts);
	scan->met = palloc0(sizeof(bool) * desc->natts);
	scan->part_columns = palloc0(sizeof(int) * desc->natts);
	scan->part_datums = palloc0(sizeof(Datum) * desc->natts);
	scan->part_nulls = palloc0(sizeof(bool) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || !(list_member_int(used, i + 1) || list_member_int(used, 0)))
			continue;
		typer_init(&scan->typers[i], attribute,
				   dataset_find_column(format->columns, NameStr(attribute->attname)));
		/* a Parquet file says of which types its values are */
		scan->typers[i].inferred &= !format->parquet;
		scan->n_unmet++;
	}
	tuple_writer_init(&scan->writer, desc, scan->typers, context);
	scan->place.dataset = format->dataset;
	scan->context_line.callback = value_place_callback;
	scan->context_line.arg = &scan->place;
	scan->part_line.callback = records_part_callback;
	MemoryContextSwitchTo(old);
	return scan;
}

void
scan_free(SourceScan *scan)
{
	MemoryContextDelete(scan->scan_context);
}

void
scan_set_filter(SourceScan *scan, bool (*wanted) (void *arg, const SpoolPart *part), void *arg)
{
	scan->wanted = wanted;
	scan->wanted_arg = arg;
}

void
scan_set_bounds(SourceScan *scan, List *bounds)
{
	scan->bounds = bounds;
}

/* Reads the values of the document's own, which are a column's instead of its records' fields. */
static void
read_part_values(SourceScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->reader_context);

	scan->n_part_columns = 0;
	for (int i = 0; scan->part != NULL && scan->part->values != NIL && i < scan->desc->natts; i++)
	{
		ColumnTyper *typer = &scan->typers[i];
		const PartValue *value = OidIsValid(typer->type) ? spool_part_value(scan->part, scan->fields[i]) : NULL;
		int			n = scan->n_part_columns;

		if (value == NULL)
			continue;
		scan->part_columns[n] = i + 1;
		scan->part_nulls[n] = value->text == NULL;
		scan->part_datums[n] = value->text == NULL ? (Datum) 0 :
			InputFunctionCall(&typer->input, pstrdup(value->text), typer->io_param, typer->typmod);
		scan->n_part_columns++;
		scan->n_unmet -= !scan->met[i];
		scan->met[i] = true;
	}
	MemoryContextSwitchTo(old);
}

/* Opens the wanted document of this or the next number.  False: the spool has none. */
static bool
open_document(SourceScan *scan)
{
	const SpoolPart *part;

	MemoryContextReset(scan->reader_context);
	while ((part = spool_part(scan->spool, scan->document)) != NULL &&
		   scan->wanted != NULL && !scan->wanted(scan->wanted_arg, part))
		scan->document++;
	if (!spool_open_document(scan->spool, scan->document, scan->reader_context, &scan->cursor, &scan->part))
		return false;
	scan->part_line.arg = (void *) scan->part;
	scan->reader = records_open(scan->format, &scan->cursor, false, scan->reader_context);
	for (int i = 0; i < scan->desc->natts; i++)
	{
		if (TupleDescAttr(scan->desc, i)->attisdropped)
			continue;
		scan->writer.columns[i].field =
			record_reader_add_field(scan->reader, scan->fields[i], scan->typers[i].type);
	}
	scan->place.reader = scan->reader;
	read_part_values(scan);
	if (scan->format->parquet)
		parquet_records_restrict(scan->reader, &scan->writer, scan->bounds, &scan->place);
	return true;
}

void
scan_open(SourceScan *scan, Spool *spool)
{
	scan->part_line.previous = error_context_stack;
	error_context_stack = &scan->part_line;
	scan->spool = spool;
	scan->document = 0;
	memset(&scan->before, 0, sizeof(scan->before));
	scan->part = NULL;
	scan->reader = NULL;
	(void) open_document(scan);
	error_context_stack = scan->part_line.previous;
}

/* an error document with status 200 must not pass for a row of nulls */
static void
refuse_foreign_record(const SourceScan *scan)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("a record has none of the columns of dataset \"%s\"", scan->format->dataset),
			 errdetail("It is %s and has field \"%s\".", record_reader_place(scan->reader, NULL),
					   scan->reader->unknown_name),
			 errhint("Look at what the source answers, and at params.json_pointer. If the columns came from another answer, SELECT spice_reset(%s) finds them anew.",
					 quote_literal_cstr(scan->format->dataset))));
}

/* has a record this column's field at last? */
static void
note_met(SourceScan *scan, int column)
{
	if (scan->met[column] || !OidIsValid(scan->typers[column].type) ||
		scan->reader->values[scan->writer.columns[column].field].kind == JSON_ABSENT)
		return;
	scan->met[column] = true;
	scan->n_unmet--;
}

/* A copy of the value in which no escape stands for what is no character, or NULL. */
static const char *
replace_invalid(const JsonValue *value)
{
	int			quote = value->kind == JSON_STRING ? 1 : 0;
	char	   *copy = palloc0(value->length + 2 * quote + BYTES_PADDING);

	memcpy(copy, value->start - quote, value->length + 2 * quote);
	return json_value_replace_invalid(copy + quote, value->length) ? copy + quote : NULL;
}

/* Replaces the value that the conversion has just refused, or makes it a null. */
static void
change_invalid_value(SourceScan *scan, JsonValue *value)
{
	const char *replaced = scan->format->invalid == INVALID_REPLACE ? replace_invalid(value) : NULL;

	if (scan->before.invalid_total++ == 0)
	{
		scan->before.invalid_record = scan->before.records + scan->reader->record;
		strlcpy(scan->before.invalid_column, scan->place.column, NAMEDATALEN);
	}
	if (replaced != NULL)
		value->start = replaced;
	else
		value->kind = JSON_NULL;
}

/* Writes the record's tuple, whatever values the conversion refuses. */
static HeapTuple
write_valid_tuple(SourceScan *scan)
{
	MemoryContext context = CurrentMemoryContext;
	HeapTuple volatile tuple = NULL;

	while (tuple == NULL)
	{
		PG_TRY();
		{
			tuple = tuple_writer_write(&scan->writer, &scan->place);
		}
		PG_CATCH();
		{
			JsonValue  *value = (JsonValue *) scan->place.value;
			int			code = geterrcode();

			MemoryContextSwitchTo(context);
			if (value == NULL || value->kind == JSON_NULL || value->kind == JSON_ABSENT ||
				(ERRCODE_TO_CATEGORY(code) != ERRCODE_DATA_EXCEPTION && code != ERRCODE_DATATYPE_MISMATCH))
				PG_RE_THROW();
			FlushErrorState();
			change_invalid_value(scan, value);
		}
		PG_END_TRY();
	}
	return tuple;
}

static HeapTuple
make_tuple(SourceScan *scan)
{
	MemoryContext old;
	HeapTuple	tuple;

	for (int i = 0; scan->n_unmet > 0 && i < scan->desc->natts; i++)
		note_met(scan, i);
	MemoryContextReset(scan->row_context);
	old = MemoryContextSwitchTo(scan->row_context);
	tuple = scan->format->parquet ? parquet_records_tuple(scan->reader, &scan->writer, &scan->place) :
		scan->format->invalid != INVALID_ERROR ? write_valid_tuple(scan) :
		tuple_writer_write(&scan->writer, &scan->place);
	if (scan->n_part_columns > 0)
		tuple = heap_modify_tuple_by_cols(tuple, scan->desc, scan->n_part_columns, scan->part_columns,
										  scan->part_datums, scan->part_nulls);
	MemoryContextSwitchTo(old);
	return tuple;
}

static ScanTotals
scan_totals(const SourceScan *scan)
{
	ScanTotals	totals = scan->before;
	const RecordReader *reader = scan->reader;

	if (reader == NULL)
		return totals;
	if (totals.unknown_total == 0 && reader->unknown_total > 0)
	{
		totals.unknown_record = totals.records + reader->unknown_record;
		strlcpy(totals.unknown_name, reader->unknown_name, sizeof(totals.unknown_name));
	}
	if (reader->record == 1 && reader->wrapper >= 0 && totals.wrapper_name[0] == '\0')
	{
		size_t		length;
		const char *name = record_reader_field_name(reader, reader->wrapper, &length);

		if (length < sizeof(totals.wrapper_name))
			memcpy(totals.wrapper_name, name, length);
	}
	totals.records += reader->record;
	totals.unknown_total += reader->unknown_total;
	return totals;
}

/* Moves to the next document that has a record.  False: there is none. */
static bool
open_next_document(SourceScan *scan)
{
	do
	{
		if (scan->part == NULL)
			return false;
		if (scan->part->check != NULL)
			scan->part->check(scan->part, scan->cursor.spool);
		scan->before = scan_totals(scan);
		scan->reader = NULL;
		scan->document++;
		if (!open_document(scan))
			return false;
	} while (!record_reader_next(scan->reader));
	return true;
}

static HeapTuple
next_tuple(SourceScan *scan)
{
	HeapTuple	tuple;

	if (scan->reader == NULL || (!record_reader_next(scan->reader) && !open_next_document(scan)))
		return NULL;
	if (scan->reader->foreign)
		refuse_foreign_record(scan);

	scan->context_line.previous = error_context_stack;
	error_context_stack = &scan->context_line;
	tuple = make_tuple(scan);
	error_context_stack = scan->context_line.previous;
	return tuple;
}

HeapTuple
scan_next(SourceScan *scan)
{
	HeapTuple	tuple;

	if (scan->part == NULL)
		return next_tuple(scan);
	scan->part_line.previous = error_context_stack;
	error_context_stack = &scan->part_line;
	tuple = next_tuple(scan);
	error_context_stack = scan->part_line.previous;
	return tuple;
}

JsonReader *
scan_json(const SourceScan *scan)
{
	return json_records_reader(scan->reader);
}

Size
scan_findings_size(TupleDesc desc)
{
	return offsetof(ScanFindings, met) + sizeof(bool) * desc->natts;
}

void
scan_findings(const SourceScan *scan, ScanFindings *findings)
{
	findings->totals = scan_totals(scan);
	memcpy(findings->met, scan->met, sizeof(bool) * scan->desc->natts);
}

/* keeps the place that comes first in the spool */
static void
add_invalid(SourceReport *report, const ScanTotals *totals)
{
	if (totals->invalid_total > 0 &&
		(report->invalid_total == 0 || totals->invalid_record < report->invalid_record))
	{
		report->invalid_record = totals->invalid_record;
		strlcpy(report->invalid_column, totals->invalid_column, NAMEDATALEN);
	}
	report->invalid_total += totals->invalid_total;
}

/* keeps the name that comes first in the spool */
static void
add_unknown(SourceReport *report, int64 *first, const ScanTotals *totals)
{
	report->unknown_total += totals->unknown_total;
	if (totals->unknown_total == 0 || totals->unknown_record >= *first)
		return;
	*first = totals->unknown_record;
	strlcpy(report->unknown_name, totals->unknown_name, sizeof(report->unknown_name));
}

SourceReport
scan_report(const SourceScan *scan, const ScanFindings *findings)
{
	ScanTotals	totals = scan_totals(scan);
	SourceReport report = {0};
	int64		first = PG_INT64_MAX;
	int64		records = findings != NULL ? findings->totals.records : totals.records;

	add_unknown(&report, &first, &totals);
	add_invalid(&report, &totals);
	memcpy(report.wrapper_name, totals.wrapper_name, sizeof(totals.wrapper_name));
	if (findings != NULL)
	{
		add_unknown(&report, &first, &findings->totals);
		add_invalid(&report, &findings->totals);
	}
	for (int i = 0; i < scan->desc->natts && records > 0; i++)
	{
		if (OidIsValid(scan->typers[i].type) && !scan->met[i] && (findings == NULL || !findings->met[i]))
			strlcpy(report.absent_name, scan->typers[i].name, NAMEDATALEN);
	}
	return report;
}

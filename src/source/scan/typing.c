/*-------------------------------------------------------------------------
 *
 * typing.c
 *		JSON values to Datums.
 *
 * Converting text to a Datum dominates the cost of a refresh, so the types
 * that JSON APIs are made of have a short way that looks at the bytes in
 * place; every other type goes through its own input function.  A type that
 * was inferred takes what inference takes for it, and holds that exactly.  A type
 * that was declared takes values as SQL does, so numeric(12,2) rounds, but for dates
 * and times that would mean another time tomorrow, or lose a part of what they say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/formatting.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "source/format/iso8601.h"
#include "source/format/time_text.h"
#include "source/scan/typing.h"

#define QUOTED_LENGTH 100		/* bytes of a value that an error quotes */

/* the value as an error shows it */
static char *
quoted_value(const JsonValue *value)
{
	Size		length = Min(value->length, QUOTED_LENGTH);
	const char *quote = value->kind == JSON_STRING ? "\"" : "";

	if (length < value->length)
		length = pg_encoding_mbcliplen(PG_UTF8, value->start, (int) Min(value->length, 1024), QUOTED_LENGTH);
	return psprintf("%s%.*s%s%s", quote, (int) length, value->start,
					length < value->length ? "..." : "", quote);
}

static const char *
kind_name(const JsonValue *value)
{
	switch (value->kind)
	{
		case JSON_FALSE:
		case JSON_TRUE:
			return "boolean";
		case JSON_INTEGER:
		case JSON_DECIMAL:
		case JSON_NOT_FINITE:
			return "number";
		case JSON_STRING:
			return "string";
		case JSON_OBJECT:
			return "object";
		case JSON_ARRAY:
			return "array";
		default:
			return "null";
	}
}

void
value_place_callback(void *arg)
{
	const ValuePlace *place = arg;

	if (place->reader == NULL)
		return;
	if (place->value == NULL)
		errcontext("dataset \"%s\", %s", place->dataset, record_reader_place(place->reader, NULL));
	else
		errcontext("dataset \"%s\", %s, column \"%s\": %s", place->dataset,
				   record_reader_place(place->reader, place->value), place->column,
				   quoted_value(place->value));
}

/* Has the value an escape of what PostgreSQL's texts do not hold? */
static bool
holds_escape(const JsonValue *value)
{
	for (size_t i = 0; i + 1 < value->length; i++)
	{
		if (value->start[i] == '\\' && value->start[i + 1] == 'u')
			return true;
	}
	return false;
}

/* Is it a number but for a comma in it? */
static bool
has_decimal_comma(const JsonValue *value)
{
	bool		comma = false;

	for (size_t i = 0; i < value->length; i++)
	{
		if (strchr("0123456789.,-", value->start[i]) == NULL)
			return false;
		comma |= value->start[i] == ',';
	}
	return comma;
}

static const char *
misfit_hint(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place, int code)
{
	if (code == ERRCODE_UNTRANSLATABLE_CHARACTER || (typer->type == JSONBOID && holds_escape(value)))
		return "Set invalid_value_action to replace or null in the manifest, or declare the column as json, which keeps a value as it is written.";
	if (place->reader->format->csv && place->reader->format->decimal != ',' && has_decimal_comma(value))
		return "If the comma begins the fraction, set csv_decimal: \",\" in params, or declare text under columns in the manifest.";
	if (typer->inferred)
		return "Its type was inferred. Declare one that holds this value, too, under columns in the manifest, such as numeric or text, or set on_schema_change: sync_all_columns.";
	if (typer->is_time)
		return "Declare how the source writes it under columns in the manifest, as in format: DD/MM/YYYY, or declare text and convert it in refresh_sql.";
	if (value->kind == JSON_STRING)
		return "Declare a type that holds it under columns in the manifest, such as numeric, text or jsonb, or add it to null_values in params if it stands for null.";
	return "Declare a type that holds it under columns in the manifest, such as numeric, text or jsonb.";
}

pg_noreturn static void
refuse_value(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place,
			 int code, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(code),
			 errmsg("%s does not fit column \"%s\" of type %s", problem, typer->name,
					format_type_with_typemod(typer->type, typer->typmod)),
			 errdetail("Dataset \"%s\", %s, value %s.", place->dataset,
					   record_reader_place(place->reader, value), quoted_value(value)),
			 errhint("%s", hint)));
}

pg_noreturn static void
misfit(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place,
	   int code, const char *problem)
{
	refuse_value(typer, value, place, code, problem, misfit_hint(typer, value, place, code));
}

/* a zone or a time of day which the column's type would drop */
pg_noreturn static void
refuse_loss(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place, const char *problem)
{
	int			code = ERRCODE_DATETIME_FIELD_OVERFLOW;

	refuse_value(typer, value, place, code, problem, typer->inferred ? misfit_hint(typer, value, place, code) :
				 "Declare timestamptz, which keeps both zone and time, or text under columns in the manifest.");
}

/* a kind of value which the column's type has no reading for */
pg_noreturn static void
wrong_kind(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	misfit(typer, value, place, ERRCODE_DATATYPE_MISMATCH,
		   psprintf("JSON %s", kind_name(value)));
}

/* unescapes a string to out, which has room for value->length bytes */
static Size
unescape(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place, char *out)
{
	int64		length;

	if (!value->escaped)
	{
		memcpy(out, value->start, value->length);
		return value->length;
	}
	length = json_value_unescape(value, out);
	if (length == -1)
		misfit(typer, value, place, ERRCODE_UNTRANSLATABLE_CHARACTER, "\\u0000");
	if (length < 0)
		misfit(typer, value, place, ERRCODE_UNTRANSLATABLE_CHARACTER,
			   "half of a surrogate pair");
	return (Size) length;
}

static Datum
convert_text(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	text	   *result = palloc(VARHDRSZ + value->length);
	Size		length = value->length;

	if (value->kind == JSON_STRING)
		length = unescape(typer, value, place, VARDATA(result));
	else
		memcpy(VARDATA(result), value->start, length);
	SET_VARSIZE(result, VARHDRSZ + length);
	return PointerGetDatum(result);
}

/* the value's text, NUL-terminated; strings unescaped, all else as it stands */
static char *
value_cstring(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	char	   *result = palloc(value->length + 1);
	Size		length = value->length;

	if (value->kind == JSON_STRING)
		length = unescape(typer, value, place, result);
	else
		memcpy(result, value->start, length);
	result[length] = '\0';
	return result;
}

/* A type without a zone, or without a time of day, would drop these in silence. */
static void
check_time_text(const ColumnTyper *typer, const char *text, const JsonValue *value,
				const ValuePlace *place)
{
	TimeTextParts parts = time_text_parts(text);
	int			code = ERRCODE_DATETIME_FIELD_OVERFLOW;

	if (parts & TIME_TEXT_MOVING)
		misfit(typer, value, place, code, "a word that means another time tomorrow");
	if (parts & TIME_TEXT_ORDER)
		misfit(typer, value, place, code, "a date whose order of day and month is not declared");
	if ((parts & TIME_TEXT_ZONE) && (typer->type == TIMESTAMPOID || typer->type == TIMEOID))
		refuse_loss(typer, value, place, "a time with a zone");
	if ((parts & (TIME_TEXT_ZONE | TIME_TEXT_CLOCK)) && typer->type == DATEOID)
		refuse_loss(typer, value, place, "a date with a time");
}

/*
 * Reads the text by the format that the manifest declares.  The text has to match it to
 * the end, and a column without a time of day takes no format with one.
 */
static Datum
read_by_format(ColumnTyper *typer, const char *text)
{
	Oid			type;
	int32		typmod;
	int			zone = 0;
	Datum		result = parse_datetime(cstring_to_text(text), cstring_to_text(typer->format),
										C_COLLATION_OID, true, &type, &typmod, &zone, NULL);
	Oid			output;
	bool		varlena;

	if (type == typer->type && typer->typmod < 0)
		return result;
	if (type != typer->type &&
		!(type == DATEOID && (typer->type == TIMESTAMPOID || typer->type == TIMESTAMPTZOID)) &&
		!(type == TIMESTAMPOID && typer->type == TIMESTAMPTZOID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("format \"%s\" of column \"%s\" is one of type %s, and the column is of type %s",
						typer->format, typer->name, format_type_be(type), format_type_be(typer->type)),
				 errhint("Declare the type or the format otherwise under columns in the manifest.")));
	getTypeOutputInfo(type, &output, &varlena);
	return InputFunctionCall(&typer->input, OidOutputFunctionCall(output, result), typer->io_param,
							 typer->typmod);
}

/*
 * The type's own input function, or the declared format.  Their errors quote the whole
 * value, however long, and know nothing of records: data exceptions are said in our words.
 */
static Datum
read_text(ColumnTyper *typer, char *text, const JsonValue *value, const ValuePlace *place)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		result = (Datum) 0;

	PG_TRY();
	{
		result = typer->format != NULL ? read_by_format(typer, text) :
			InputFunctionCall(&typer->input, text, typer->io_param, typer->typmod);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		misfit(typer, value, place, error->sqlerrcode, "the value");
	}
	PG_END_TRY();
	return result;
}

static Datum
by_input_function(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	char	   *text = value_cstring(typer, value, place);

	if (typer->is_time && typer->format == NULL)
		check_time_text(typer, text, value, place);
	return read_text(typer, text, value, place);
}

/*
 * A string in a column whose type was inferred counts as the number or boolean that it
 * spells as JSON does, so that none of its characters is lost, and otherwise not at all.
 */
static const JsonValue *
read_spelled(const ColumnTyper *typer, const JsonValue *value, const ValuePlace *place,
			 JsonValue *spelled)
{
	if (value->kind != JSON_STRING || !typer->inferred)
		return value;
	*spelled = *value;
	if (!value->escaped)
		spelled->kind = json_value_spelled_kind(value->start, value->length);
	if (spelled->kind == JSON_STRING)
		misfit(typer, value, place, ERRCODE_INVALID_TEXT_REPRESENTATION, "the value");
	return spelled;
}

static Datum
convert_jsonb(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	/* jsonb_in wants the token itself, strings with their quotes */
	int			quote = value->kind == JSON_STRING ? 1 : 0;
	char	   *token = pnstrdup(value->start - quote, value->length + 2 * quote);

	return read_text(typer, token, value, place);
}

static Datum
convert_integer(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	int64		number;
	JsonValue	spelled;

	value = read_spelled(typer, value, place, &spelled);
	if (value->kind == JSON_STRING)
		return by_input_function(typer, value, place);
	if (value->kind != JSON_INTEGER && value->kind != JSON_DECIMAL)
		wrong_kind(typer, value, place);
	/* 3.0 and 1e3 are whole numbers, written otherwise */
	if (!json_value_whole(value, &number))
		misfit(typer, value, place, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
			   value->kind == JSON_DECIMAL ? "a fraction" : "the number");

	switch (typer->type)
	{
		case INT2OID:
			if (number < PG_INT16_MIN || number > PG_INT16_MAX)
				misfit(typer, value, place, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "the number");
			return Int16GetDatum((int16) number);
		case INT4OID:
			if (number < PG_INT32_MIN || number > PG_INT32_MAX)
				misfit(typer, value, place, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "the number");
			return Int32GetDatum((int32) number);
		default:
			return Int64GetDatum(number);
	}
}

/* significant digits of a number token, leading and trailing zeros left out */
static int
significant_digits(const JsonValue *value, char *digits, int room)
{
	int			n = 0,
				last = 0;

	for (Size i = 0; i < value->length; i++)
	{
		char		c = value->start[i];

		if (c == 'e' || c == 'E')
			break;
		if (c < '0' || c > '9' || (n == 0 && c == '0'))
			continue;
		if (n < room)
			digits[n] = c;
		n++;
		if (c != '0')
			last = n;
	}
	return last;
}

bool
typing_fits_double(const JsonValue *value)
{
	char		digits[DBL_DIG + 3],
				printed[64];
	int			n;
	double		number;

	if (!json_value_double(value, &number))
		return false;
	if (typing_is_plain_double(value, number))
		return true;
	n = significant_digits(value, digits, lengthof(digits));
	if (n == 0 || (n <= DBL_DIG && fabs(number) >= DBL_MIN))
		return true;
	if (n > DBL_DIG + 2 || number == 0)
		return false;
	/* 16 or 17 digits, or a number near zero: some survive the way there and back */
	snprintf(printed, sizeof(printed), "%.*e", n - 1, fabs(number));
	if (printed[0] != digits[0])
		return false;
	return strncmp(printed + 2, digits + 1, n - 1) == 0;
}

static Datum
convert_double(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	double		number;
	JsonValue	spelled;

	value = read_spelled(typer, value, place, &spelled);
	if (value->kind == JSON_STRING || value->kind == JSON_NOT_FINITE)
		return by_input_function(typer, value, place);
	if (value->kind != JSON_INTEGER && value->kind != JSON_DECIMAL)
		wrong_kind(typer, value, place);
	if (!json_value_double(value, &number))
		misfit(typer, value, place, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "the number");
	if (!typing_is_plain_double(value, number) && !typing_fits_double(value))
		misfit(typer, value, place, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
			   "a number with this many digits");
	return Float8GetDatum(number);
}

static Datum
convert_numeric(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	JsonValue	spelled;

	value = read_spelled(typer, value, place, &spelled);
	if (typer->inferred && value->kind != JSON_INTEGER && value->kind != JSON_DECIMAL &&
		value->kind != JSON_NOT_FINITE)
		wrong_kind(typer, value, place);
	return by_input_function(typer, value, place);
}

static Datum
convert_boolean(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	JsonValue	spelled;

	value = read_spelled(typer, value, place, &spelled);
	if (value->kind == JSON_TRUE || value->kind == JSON_FALSE)
		return BoolGetDatum(value->kind == JSON_TRUE);
	if (value->kind != JSON_STRING)
		wrong_kind(typer, value, place);
	return by_input_function(typer, value, place);
}

/* ISO 8601 in place; whatever else a declared type reads, through its input function */
static Datum
convert_time(ColumnTyper *typer, const JsonValue *value, const ValuePlace *place)
{
	int64		time;
	IsoKind		kind = ISO_NONE;

	if (value->kind != JSON_STRING && typer->format == NULL)
		wrong_kind(typer, value, place);
	if (value->kind == JSON_STRING && !value->escaped && typer->format == NULL)
		kind = iso8601_parse(value->start, value->length, &time);

	if (typer->type == DATEOID && kind == ISO_DATE)
		return DateADTGetDatum((DateADT) time);
	if (typer->type == TIMESTAMPOID && kind == ISO_DATE)
		return TimestampGetDatum(time * USECS_PER_DAY);
	/* a zone is meaning that a timestamp without one would drop in silence */
	if (typer->type == TIMESTAMPOID && kind == ISO_TIMESTAMPTZ)
		refuse_loss(typer, value, place, "a time with a zone");
	if (typer->type == DATEOID && kind != ISO_NONE)
		refuse_loss(typer, value, place, "a date with a time");
	if (typer->typmod < 0 &&
		((typer->type == TIMESTAMPOID && kind == ISO_TIMESTAMP) ||
		 (typer->type == TIMESTAMPTZOID && kind == ISO_TIMESTAMPTZ)))
		return TimestampGetDatum(time);
	if (typer->inferred)
		misfit(typer, value, place, ERRCODE_INVALID_DATETIME_FORMAT,
			   kind == ISO_NONE ? "the value" : "a time without a zone");
	return by_input_function(typer, value, place);
}

/* the short way of a type, or its input function */
static Datum
			(*converter(Oid type)) (ColumnTyper *, const JsonValue *, const ValuePlace *)
{
	switch (type)
	{
		case TEXTOID:
			return convert_text;
		case INT8OID:
		case INT4OID:
		case INT2OID:
			return convert_integer;
		case FLOAT8OID:
			return convert_double;
		case NUMERICOID:
			return convert_numeric;
		case BOOLOID:
			return convert_boolean;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return convert_time;
		case JSONBOID:
		case JSONOID:
			return convert_jsonb;
		default:
			return by_input_function;
	}
}

/* Are the texts of the type, or of what it is made of, those of dates and times? */
static bool
is_time_type(Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = type_is_range(base) ? get_range_subtype(base) : get_element_type(base);
	char		category;
	bool		preferred;

	if (OidIsValid(element))
		return is_time_type(element);
	get_type_category_preferred(base, &category, &preferred);
	return category == TYPCATEGORY_DATETIME;
}

/* Does the type's input refuse an empty text, so that the text can only mean a null? */
static bool
refuses_empty(ColumnTyper *typer)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool refused = false;

	PG_TRY();
	{
		(void) InputFunctionCall(&typer->input, pstrdup(""), typer->io_param, typer->typmod);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		refused = true;
	}
	PG_END_TRY();
	return refused;
}

bool
typer_empty_is_null(ColumnTyper *typer)
{
	/* an empty text is a document of JSON, but no empty document is */
	if (typer->empty == EMPTY_UNKNOWN)
		typer->empty = typer->type != TEXTOID && typer->type != JSONBOID &&
			typer->type != JSONOID && refuses_empty(typer) ? EMPTY_NULL : EMPTY_VALUE;
	return typer->empty == EMPTY_NULL;
}

void
typer_init(ColumnTyper *typer, Form_pg_attribute attribute, const DatasetColumn *declared)
{
	Oid			function;

	typer->convert = converter(attribute->atttypid);
	typer->type = attribute->atttypid;
	typer->typmod = attribute->atttypmod;
	typer->name = NameStr(attribute->attname);
	typer->inferred = declared == NULL || declared->type == NULL;
	typer->format = declared != NULL ? declared->format : NULL;
	typer->is_time = is_time_type(typer->type);
	getTypeInputInfo(attribute->atttypid, &function, &typer->io_param);
	fmgr_info(function, &typer->input);
	if (typer->format != NULL && !typer->is_time)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s has a format", typer->name,
						format_type_with_typemod(typer->type, typer->typmod)),
				 errhint("A format is for columns of the types date, timestamp, timestamptz and time.")));
}

void
typer_take_null(ColumnTyper *typer)
{
	if (!typer->input.fn_strict)
		(void) InputFunctionCall(&typer->input, NULL, typer->io_param, typer->typmod);
}

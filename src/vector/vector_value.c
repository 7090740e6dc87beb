/*-------------------------------------------------------------------------
 *
 * vector_value.c
 *		Values of many rows at a time: to and from Datums.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "vector/vector_value.h"

ValueType
value_type(Oid type, int32 typmod, Oid collation)
{
	ValueType	result = {.type = getBaseTypeAndTypmod(type, &typmod), .collation = collation};

	get_typlenbyvalalign(result.type, &result.length, &result.by_value, &result.align);
	if (result.type == FLOAT4OID || result.type == FLOAT8OID)
		result.class = VALUE_FLOAT;
	else if (result.type == NUMERICOID)
		result.class = VALUE_NUMERIC;
	else
		result.class = result.by_value ? VALUE_INTEGER : VALUE_BYTES;
	return result;
}

/* Does the type's default order compare the integers of a vector? */
bool
value_order_is_of_integers(const ValueType *type)
{
	switch (type->type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

Datum
value_from_integer(const ValueType *type, int64 value)
{
	switch (type->length)
	{
		case 1:
			return CharGetDatum((char) value);
		case 2:
			return Int16GetDatum((int16) value);
		case 4:
			return Int32GetDatum((int32) value);
		default:
			return Int64GetDatum(value);
	}
}

int64
value_to_integer(const ValueType *type, Datum value)
{
	switch (type->length)
	{
		case 1:
			return (int8) DatumGetChar(value);
		case 2:
			return DatumGetInt16(value);
		case 4:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

Datum
value_from_float(const ValueType *type, double value)
{
	return type->length == sizeof(float4) ? Float4GetDatum((float4) value) : Float8GetDatum(value);
}

double
value_to_float(const ValueType *type, Datum value)
{
	return type->length == sizeof(float4) ? DatumGetFloat4(value) : DatumGetFloat8(value);
}

/* a copy in the current context */
Datum
value_from_bytes(const ValueType *type, ByteView bytes)
{
	char	   *copy;

	if (type->length == -1)
		return PointerGetDatum(cstring_to_text_with_len(bytes.data, bytes.length));
	copy = palloc(bytes.length);
	memcpy(copy, bytes.data, bytes.length);
	return PointerGetDatum(copy);
}

/* into the Datum, or into a copy of it in the current context when it is toasted */
ByteView
value_to_bytes(const ValueType *type, Datum value)
{
	struct varlena *varlena;

	if (type->length > 0)
		return (ByteView) {DatumGetPointer(value), type->length};
	if (type->length == -2)
		return (ByteView) {DatumGetCString(value), strlen(DatumGetCString(value)) + 1};
	varlena = PG_DETOAST_DATUM_PACKED(value);
	return (ByteView) {VARDATA_ANY(varlena), VARSIZE_ANY_EXHDR(varlena)};
}

/* value / 10^scale, with that many digits after the point */
Datum
value_numeric(int128 value, int scale)
{
	const int64 part = INT64CONST(1000000000000000000);
	Datum		high;

	if (value >= PG_INT64_MIN && value <= PG_INT64_MAX)
		return NumericGetDatum(int64_div_fast_to_numeric((int64) value, scale));
	high = DirectFunctionCall2(numeric_mul, value_numeric(value / part, scale),
							   NumericGetDatum(int64_to_numeric(part)));
	return DirectFunctionCall2(numeric_add, high, value_numeric(value % part, scale));
}

ByteView
vector_bytes(const Vector *vector, int row)
{
	return vector->kind == VECTOR_CODE ?
		vector->dictionary->entries[vector->codes[row]] : vector->bytes[row];
}

/* what is passed by reference is a copy in the current context */
Datum
vector_datum(const ValueType *type, const Vector *vector, int row)
{
	switch (vector->kind)
	{
		case VECTOR_INTEGER:
			if (type->class == VALUE_NUMERIC)
				return NumericGetDatum(int64_div_fast_to_numeric(vector->integers[row],
																 vector->scale));
			return value_from_integer(type, vector->integers[row]);
		case VECTOR_FLOAT:
			return value_from_float(type, vector->floats[row]);
		default:
			return value_from_bytes(type, vector_bytes(vector, row));
	}
}

/* May values be told apart by their bytes? */
static bool
equal_by_image(const ValueType *type, Oid equality)
{
	TypeCacheEntry *entry = lookup_type_cache(type->type,
											  TYPECACHE_EQ_OPR | TYPECACHE_BTREE_OPFAMILY);
	Oid			function;

	if (!OidIsValid(entry->btree_opf) || entry->eq_opr != equality)
		return false;
	function = get_opfamily_proc(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
								 BTEQUALIMAGE_PROC);
	return OidIsValid(function) &&
		DatumGetBool(OidFunctionCall1Coll(function, type->collation,
										  ObjectIdGetDatum(entry->btree_opintype)));
}

/* Can values of the type be told apart here as the operator does it? */
bool
value_equality_is_taken(Oid type, int32 typmod, Oid collation, Oid equality)
{
	ValueType	value = value_type(type, typmod, collation);

	if (value.class == VALUE_FLOAT)
		return lookup_type_cache(value.type, TYPECACHE_EQ_OPR)->eq_opr == equality;
	return value.class != VALUE_NUMERIC && equal_by_image(&value, equality);
}

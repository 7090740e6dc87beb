/*-------------------------------------------------------------------------
 *
 * vector_value.h
 *		Values of many rows at a time.
 *
 * A vector has the values of one column or expression for the rows of a batch.
 * Types that a Datum passes by value are widened to 64 bits; all others are the
 * bytes of the value, without a varlena's header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_VALUE_H
#define SPICE_VECTOR_VALUE_H

#include "column/column_decode.h"

#define VECTOR_ROWS 1024

typedef enum ValueClass
{
	VALUE_INTEGER,				/* passed by value, but not a float */
	VALUE_FLOAT,				/* float4 and float8 */
	VALUE_NUMERIC,
	VALUE_BYTES					/* any other that is passed by reference */
} ValueClass;

/* a type, and how its values look in a vector */
typedef struct ValueType
{
	Oid			type;
	Oid			collation;
	int16		length;
	bool		by_value;
	char		align;
	ValueClass	class;
} ValueType;

typedef ColumnBytes ByteView;

/*
 * The distinct values of a column within a row group.  Whoever remembers something
 * per entry keeps it until the serial number changes.
 */
typedef struct VectorDictionary
{
	uint64		serial;
	int			count;
	const ByteView *entries;
} VectorDictionary;

typedef enum VectorKind
{
	VECTOR_INTEGER,				/* classes INTEGER and NUMERIC */
	VECTOR_FLOAT,
	VECTOR_BYTES,
	VECTOR_CODE					/* bytes by their number in a dictionary */
} VectorKind;

typedef struct Vector
{
	VectorKind	kind;
	int			scale;			/* decimal digits of a NUMERIC that is an integer here */
	const bool *nulls;			/* NULL: none */
	union
	{
		const int64 *integers;
		const double *floats;
		const ByteView *bytes;
		const uint16 *codes;
	};
	const VectorDictionary *dictionary;
} Vector;

extern ValueType value_type(Oid type, int32 typmod, Oid collation);
extern bool value_equality_is_taken(Oid type, int32 typmod, Oid collation, Oid equality);
extern bool value_order_is_of_integers(const ValueType *type);
extern Datum value_from_integer(const ValueType *type, int64 value);
extern int64 value_to_integer(const ValueType *type, Datum value);
extern Datum value_from_float(const ValueType *type, double value);
extern double value_to_float(const ValueType *type, Datum value);
extern Datum value_from_bytes(const ValueType *type, ByteView bytes);
extern ByteView value_to_bytes(const ValueType *type, Datum value);
extern Datum value_numeric(int128 value, int scale);
extern Datum vector_datum(const ValueType *type, const Vector *vector, int row);
extern ByteView vector_bytes(const Vector *vector, int row);

#endif

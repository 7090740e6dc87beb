/*-------------------------------------------------------------------------
 *
 * parquet_thrift.h
 *		Reads structures in Thrift's compact protocol, as Parquet writes them.
 *
 * Includes no server header.  A structure is read field by field:
 *
 *		thrift_begin(&thrift, &last);
 *		while (thrift_field(&thrift, &last, &field))
 *			read the value of field.id, or thrift_skip(&thrift, field.type)
 *
 * A reader never passes its end.  What is malformed sets "failed" and reads as
 * zero, so the caller looks once, after the outermost structure.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_THRIFT_H
#define SPICE_PARQUET_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ThriftType
{
	THRIFT_STOP = 0,
	THRIFT_TRUE = 1,
	THRIFT_FALSE = 2,
	THRIFT_I8 = 3,
	THRIFT_I16 = 4,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_DOUBLE = 7,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_SET = 10,
	THRIFT_MAP = 11,
	THRIFT_STRUCT = 12,
	THRIFT_UUID = 13
} ThriftType;

typedef struct Thrift
{
	const uint8_t *position;
	const uint8_t *end;
	bool		failed;
} Thrift;

typedef struct ThriftField
{
	ThriftType	type;
	int16_t		id;
} ThriftField;

/* the next field of a structure; *last is 0 before its first; false at its end */
extern bool thrift_field(Thrift *thrift, int16_t * last, ThriftField *field);

/* a whole number of any width; 0 if the field's type is another */
extern int64_t thrift_integer(Thrift *thrift, ThriftType type);

/* points into the input; "" with *length 0 if the field's type is another */
extern const char *thrift_binary(Thrift *thrift, ThriftType type, size_t *length);

/* the number of elements, whose type is *element; 0 if the field's type is another */
extern uint32_t thrift_list(Thrift *thrift, ThriftType type, ThriftType * element);

/* whether the field holds a structure to read; what else it holds is skipped */
extern bool thrift_is_struct(Thrift *thrift, ThriftType type);

extern void thrift_skip(Thrift *thrift, ThriftType type);

#endif

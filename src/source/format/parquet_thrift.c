/*-------------------------------------------------------------------------
 *
 * parquet_thrift.c
 *		Reads structures in Thrift's compact protocol, as Parquet writes them.
 *
 * Source: the Thrift compact protocol's specification.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_thrift.h"

#define MAX_SKIP_DEPTH	32

static void
thrift_fail(Thrift *thrift)
{
	thrift->failed = true;
	thrift->position = thrift->end;
}

static uint8_t
thrift_byte(Thrift *thrift)
{
	if (thrift->position >= thrift->end)
	{
		thrift_fail(thrift);
		return 0;
	}
	return *thrift->position++;
}

static uint64_t
thrift_varint(Thrift *thrift)
{
	uint64_t	result = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint8_t		byte = thrift_byte(thrift);

		result |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return result;
	}
	thrift_fail(thrift);
	return 0;
}

static int64_t
thrift_zigzag(Thrift *thrift)
{
	uint64_t	value = thrift_varint(thrift);

	return (int64_t) (value >> 1) ^ -(int64_t) (value & 1);
}

bool
thrift_field(Thrift *thrift, int16_t * last, ThriftField *field)
{
	uint8_t		head = thrift_byte(thrift);

	field->type = head & 0x0f;
	if (thrift->failed || field->type == THRIFT_STOP)
		return false;
	if (head >> 4 != 0)
		field->id = (int16_t) (*last + (head >> 4));
	else
		field->id = (int16_t) thrift_zigzag(thrift);
	*last = field->id;
	return !thrift->failed;
}

int64_t
thrift_integer(Thrift *thrift, ThriftType type)
{
	switch (type)
	{
		case THRIFT_TRUE:
			return 1;
		case THRIFT_FALSE:
			return 0;
		case THRIFT_I8:
			return (int8_t) thrift_byte(thrift);
		case THRIFT_I16:
		case THRIFT_I32:
		case THRIFT_I64:
			return thrift_zigzag(thrift);
		default:
			thrift_skip(thrift, type);
			return 0;
	}
}

const char *
thrift_binary(Thrift *thrift, ThriftType type, size_t *length)
{
	const char *start;
	uint64_t	n;

	*length = 0;
	if (type != THRIFT_BINARY)
	{
		thrift_skip(thrift, type);
		return "";
	}
	n = thrift_varint(thrift);
	if (n > (uint64_t) (thrift->end - thrift->position))
	{
		thrift_fail(thrift);
		return "";
	}
	start = (const char *) thrift->position;
	thrift->position += n;
	*length = n;
	return start;
}

uint32_t
thrift_list(Thrift *thrift, ThriftType type, ThriftType * element)
{
	uint8_t		head;
	uint64_t	n;

	*element = THRIFT_STOP;
	if (type != THRIFT_LIST && type != THRIFT_SET)
	{
		thrift_skip(thrift, type);
		return 0;
	}
	head = thrift_byte(thrift);
	*element = head & 0x0f;
	n = head >> 4;
	if (n == 15)
		n = thrift_varint(thrift);
	/* each element takes a byte at least */
	if (n > (uint64_t) (thrift->end - thrift->position))
	{
		thrift_fail(thrift);
		return 0;
	}
	return (uint32_t) n;
}

bool
thrift_is_struct(Thrift *thrift, ThriftType type)
{
	if (type == THRIFT_STRUCT)
		return true;
	thrift_skip(thrift, type);
	return false;
}

static void thrift_skip_value(Thrift *thrift, ThriftType type, bool element, int depth);

static void
thrift_skip_map(Thrift *thrift, int depth)
{
	uint64_t	n = thrift_varint(thrift);
	uint8_t		types;

	if (n == 0)
		return;
	types = thrift_byte(thrift);
	for (uint64_t i = 0; i < n && !thrift->failed; i++)
	{
		thrift_skip_value(thrift, types >> 4, true, depth);
		thrift_skip_value(thrift, types & 0x0f, true, depth);
	}
}

/* A boolean is a byte as an element, and nothing as a field. */
static void
thrift_skip_value(Thrift *thrift, ThriftType type, bool element, int depth)
{
	ThriftField field;
	ThriftType	element_type;
	int16_t		last = 0;
	size_t		length;

	if (depth > MAX_SKIP_DEPTH)
		thrift_fail(thrift);
	switch (type)
	{
		case THRIFT_TRUE:
		case THRIFT_FALSE:
			if (element)
				(void) thrift_byte(thrift);
			break;
		case THRIFT_I8:
			(void) thrift_byte(thrift);
			break;
		case THRIFT_I16:
		case THRIFT_I32:
		case THRIFT_I64:
			(void) thrift_varint(thrift);
			break;
		case THRIFT_DOUBLE:
		case THRIFT_UUID:
			length = type == THRIFT_DOUBLE ? 8 : 16;
			if (length > (size_t) (thrift->end - thrift->position))
				thrift_fail(thrift);
			else
				thrift->position += length;
			break;
		case THRIFT_BINARY:
			(void) thrift_binary(thrift, type, &length);
			break;
		case THRIFT_LIST:
		case THRIFT_SET:
			for (uint32_t n = thrift_list(thrift, type, &element_type); n > 0 && !thrift->failed; n--)
				thrift_skip_value(thrift, element_type, true, depth + 1);
			break;
		case THRIFT_MAP:
			thrift_skip_map(thrift, depth + 1);
			break;
		case THRIFT_STRUCT:
			while (thrift_field(thrift, &last, &field))
				thrift_skip_value(thrift, field.type, false, depth + 1);
			break;
		default:
			thrift_fail(thrift);
			break;
	}
}

void
thrift_skip(Thrift *thrift, ThriftType type)
{
	thrift_skip_value(thrift, type, false, 0);
}

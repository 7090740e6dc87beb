/*-------------------------------------------------------------------------
 *
 * parquet_page.c
 *		Reads the header of a page.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_page.h"

static void
read_data_header(Thrift *thrift, PageHeader *header)
{
	ThriftField field;
	int16_t		last = 0;

	while (thrift_field(thrift, &last, &field))
	{
		int64_t		value;

		if (field.id > 4)
		{
			thrift_skip(thrift, field.type);
			continue;
		}
		value = thrift_integer(thrift, field.type);
		if (field.id == 1)
			header->values = value;
		else if (field.id == 2)
			header->encoding = (int) value;
		else if (field.id == 3)
			header->definition_encoding = (int) value;
		else
			header->repetition_encoding = (int) value;
	}
}

static void
read_data_header_v2(Thrift *thrift, PageHeader *header)
{
	ThriftField field;
	int16_t		last = 0;

	header->definition_encoding = header->repetition_encoding = ENCODING_RLE;
	while (thrift_field(thrift, &last, &field))
	{
		int64_t		value;

		if (field.id > 7)
		{
			thrift_skip(thrift, field.type);
			continue;
		}
		value = thrift_integer(thrift, field.type);
		if (field.id == 1)
			header->values = value;
		else if (field.id == 4)
			header->encoding = (int) value;
		else if (field.id == 5)
			header->definition_bytes = value;
		else if (field.id == 6)
			header->repetition_bytes = value;
		else if (field.id == 7)
			header->packed = value != 0;
	}
}

PageHeader
parquet_page_header(Thrift *thrift)
{
	PageHeader	header = {.type = -1, .packed = true};
	ThriftField field;
	int16_t		last = 0;

	while (thrift_field(thrift, &last, &field))
	{
		switch (field.id)
		{
			case 1:
				header.type = (int) thrift_integer(thrift, field.type);
				break;
			case 2:
				header.unpacked_size = thrift_integer(thrift, field.type);
				break;
			case 3:
				header.packed_size = thrift_integer(thrift, field.type);
				break;
			case 4:
				header.has_crc = true;
				header.crc = (uint32_t) thrift_integer(thrift, field.type);
				break;
			case 5:
			case 7:
				if (thrift_is_struct(thrift, field.type))
					read_data_header(thrift, &header);
				break;
			case 8:
				if (thrift_is_struct(thrift, field.type))
					read_data_header_v2(thrift, &header);
				break;
			default:
				thrift_skip(thrift, field.type);
				break;
		}
	}
	return header;
}

/*-------------------------------------------------------------------------
 *
 * parquet_page.h
 *		The header of a page.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_PAGE_H
#define SPICE_PARQUET_PAGE_H

#include "source/format/parquet_thrift.h"

/* kinds of pages, as the format numbers them */
enum
{
	PAGE_DATA = 0, PAGE_INDEX = 1, PAGE_DICTIONARY = 2, PAGE_DATA_V2 = 3
};

/* encodings, as the format numbers them */
enum
{
	ENCODING_PLAIN = 0, ENCODING_PLAIN_DICTIONARY = 2, ENCODING_RLE = 3, ENCODING_BIT_PACKED = 4,
	ENCODING_DELTA_BINARY_PACKED = 5, ENCODING_DELTA_LENGTH_BYTE_ARRAY = 6,
	ENCODING_DELTA_BYTE_ARRAY = 7, ENCODING_RLE_DICTIONARY = 8, ENCODING_BYTE_STREAM_SPLIT = 9
};

typedef struct PageHeader
{
	int			type;
	int64_t		unpacked_size;
	int64_t		packed_size;
	bool		has_crc;
	uint32_t	crc;
	int64_t		values;
	int			encoding;
	int			definition_encoding;
	int			repetition_encoding;
	int64_t		definition_bytes;	/* of PAGE_DATA_V2 */
	int64_t		repetition_bytes;
	bool		packed;
} PageHeader;

/* thrift->failed: it is damaged, or longer than the input */
extern PageHeader parquet_page_header(Thrift *thrift);

#endif

/*-------------------------------------------------------------------------
 *
 * fuzz_parquet.c
 *		libFuzzer target for the Parquet reader.
 *
 * Every field is read, and every value written as a text, so that a value that
 * points outside of its page is found.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_reader.h"
#include "source/format/parquet_text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_RECORDS	5000

typedef struct Input
{
	const uint8_t *data;
	size_t		size;
} Input;

static bool
read_input(void *arg, int64_t offset, void *buffer, size_t length)
{
	Input	   *input = arg;

	memcpy(buffer, input->data + offset, length);
	return true;
}

static void
write_value(ParquetText *text, const ParquetField *field, const ParquetValue *value)
{
	const ParquetValue *elements = (const ParquetValue *) (const void *) value->bytes;

	if (value->null)
		return;
	if (field->shape == PARQUET_SCALAR)
		parquet_text_json(text, field->leaf, value);
	else if (field->shape == PARQUET_DOCUMENT)
		parquet_text_append(text, value->bytes, value->length);
	for (uint32_t i = 0; field->shape == PARQUET_ELEMENTS && i < value->length; i++)
	{
		if (!elements[i].null)
			parquet_text_value(text, field->leaf, &elements[i]);
	}
}

static void
read_records(ParquetReader *reader, ParquetText *text)
{
	while (reader->record < MAX_RECORDS && parquet_reader_next(reader) == PARQUET_RECORD)
	{
		if (setjmp(reader->file.escape) != 0)
			return;
		text->length = 0;
		for (int i = 0; i < reader->n_fields; i++)
			write_value(text, &reader->fields[i], parquet_reader_value(reader, i));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = {data, size};
	ParquetReader *reader = parquet_reader_create(read_input, &input, (int64_t) size);
	ParquetText text = {0};

	if (reader == NULL)
		abort();
	text.file = &reader->file;
	if (parquet_reader_open(reader))
	{
		for (int i = 0; i < reader->n_fields; i++)
			reader->fields[i].wanted = true;
		read_records(reader, &text);
	}
	free(text.bytes);
	parquet_reader_free(reader);
	return 0;
}

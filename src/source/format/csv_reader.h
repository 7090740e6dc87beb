/*-------------------------------------------------------------------------
 *
 * csv_reader.h
 *		Streams the records of CSV (RFC 4180), field by field.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 * Stricter than the RFC's readers are where these would guess: UTF-8 without
 * NUL, nothing between a closing quote and the end of its field, no quoted
 * field that never ends.  A quote that does not open a field is a character
 * like any other.  LF, CR LF and CR end a record; one leading byte order mark
 * is skipped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CSV_READER_H
#define SPICE_CSV_READER_H

#include <stdbool.h>

#include "source/format/reading.h"

typedef struct CsvField
{
	const char *start;			/* without quotes, escapes undone; zero bytes follow at the
								 * window's end */
	size_t		length;
	bool		quoted;			/* "" is a text, nothing at all is none */
	bool		escaped;		/* private */
} CsvField;

typedef struct CsvReaderOptions
{
	char		delimiter;		/* these are ASCII; neither a line break nor a NUL */
	char		quote;			/* NUL: there is none */
	char		escape;			/* before a quote or itself, between quotes; often the quote */
	int			max_fields;		/* more is JSON_ERROR_LIMIT */
	JsonRead	read;
	void	   *arg;
	int			skip_lines;		/* before the first record, whatever they hold */
	bool		separator_line; /* a first line sep=X, as Excel writes it, sets the delimiter */
	bool		trim;			/* blanks around a field do not belong to it */
	char		comment;		/* begins a comment line; NUL: there are no comments */
} CsvReaderOptions;

typedef struct CsvReader
{
	/* after JSON_RECORD; a blank line is one field of no length */
	CsvField   *fields;
	int			n_fields;
	int64_t		line;			/* where the record begins, or the one that failed; from 1 */
	JsonError	error;			/* its record is not set */
	struct CsvReaderState *state;	/* private */
} CsvReader;

extern CsvReader *csv_reader_create(const CsvReaderOptions *options);	/* NULL: out of memory */
extern void csv_reader_free(CsvReader *reader);

/* a header is a record like any other */
extern JsonStatus csv_reader_next(CsvReader *reader);

#endif

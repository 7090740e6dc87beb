/*-------------------------------------------------------------------------
 *
 * record_input.c
 *		A document's bytes as its reader wants them: unpacked, and in UTF-8.
 *
 * Stages, each of which asks the one before for bytes:
 *
 *		spool -> unpacked (decoder.c) -> converted -> reader
 *
 * A stage that has nothing to do costs nothing.  The server's own conversions do
 * the converting, so all that the server knows can be read; UTF-16, which it does
 * not know, is converted here.  They need the catalogs: a document is converted when
 * it is read, not when it is fetched.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/scan/record_input.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "settings.h"
#include "source/http/decoder.h"

#define PIECE_SIZE		(64 * 1024)
#define MARK_SIZE		6

struct RecordInput
{
	const RecordFormat *format;
	MemoryContext context;
	SpoolCursor *cursor;
	int			encoding;		/* PG_UTF8: nothing to convert */
	Decoder    *decoder;		/* NULL: nothing to unpack */
	char	   *packed;
	Size		packed_used;
	Size		packed_done;
	int64		unpacked;		/* bytes so far */
	char	   *raw;			/* to be converted */
	Size		raw_used;
	bool		raw_ended;
	StringInfoData text;		/* converted; read up to its cursor */
};

/* ---- encodings and compressions ---- */

int
record_input_encoding(const char *dataset, const char *name)
{
	int			encoding;

	if (name == NULL)
		return RECORD_INPUT_UNKNOWN;
	if (pg_strcasecmp(name, "utf-16") == 0 || pg_strcasecmp(name, "utf-16le") == 0)
		return RECORD_INPUT_UTF16;
	if (pg_strcasecmp(name, "utf-16be") == 0)
		return RECORD_INPUT_UTF16BE;
	encoding = pg_char_to_encoding(name);
	if (encoding <= PG_SQL_ASCII && pg_strcasecmp(name, "us-ascii") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown encoding \"%s\" of dataset \"%s\"", name, dataset),
				 errhint("Write one that PostgreSQL knows, such as ISO-8859-1, WINDOWS-1252 or SHIFT_JIS, or UTF-16.")));
	return encoding <= PG_SQL_ASCII ? PG_UTF8 : encoding;
}

int
record_input_encoding_of_type(const char *type)
{
	char		name[NAMEDATALEN];
	const char *p = strchr(type, ';');
	size_t		length;

	while (p != NULL && pg_strncasecmp(p + 1 + strspn(p + 1, " "), "charset=", 8) != 0)
		p = strchr(p + 1, ';');
	if (p == NULL)
		return RECORD_INPUT_UNKNOWN;
	p = strchr(p, '=') + 1;
	p += *p == '"';
	length = strcspn(p, "\"; ");
	strlcpy(name, p, Min(length + 1, sizeof(name)));
	if (pg_strncasecmp(name, "utf-16", 6) == 0)
		return pg_strcasecmp(name, "utf-16be") == 0 ? RECORD_INPUT_UTF16BE : RECORD_INPUT_UTF16;
	/* a name that the server does not know may still stand for UTF-8 */
	return pg_char_to_encoding(name) > PG_SQL_ASCII ? pg_char_to_encoding(name) : RECORD_INPUT_UNKNOWN;
}

/* the cursor stays where it is; what the document lacks is 0 */
static void
peek_mark(const SpoolCursor *cursor, char *mark)
{
	SpoolCursor copy = *cursor;
	Size		used = 0;
	Size		n;

	memset(mark, 0, MARK_SIZE);
	while (used < MARK_SIZE && (n = spool_read(&copy, mark + used, MARK_SIZE - used)) > 0)
		used += n;
}

static DecoderCoding
coding_of_mark(const char *mark)
{
	if (memcmp(mark, "\x1f\x8b\x08", 3) == 0)
		return DECODER_GZIP;
	if (memcmp(mark, "\x28\xb5\x2f\xfd", 4) == 0)
		return DECODER_ZSTD;
	if (memcmp(mark, "\xfd" "7zXZ", 6) == 0)
		return DECODER_XZ;

	/*
	 * a text may begin with BZh: what follows are the first digits of pi, or at the end those of
	 * its root
	 */
	return memcmp(mark, "BZh", 3) == 0 && (memcmp(mark + 4, "1A", 2) == 0 || memcmp(mark + 4, "\x17r", 2) == 0) ?
		DECODER_BZIP2 : DECODER_IDENTITY;
}

/* How the document is packed, by what the manifest says and by its mark. */
static DecoderCoding
coding_of_document(const RecordFormat *format, const char *mark)
{
	static const struct
	{
		const char *name;
		DecoderCoding coding;
	}			types[] = {
		{"uncompressed", DECODER_IDENTITY},
		{"gzip", DECODER_GZIP},
		{"zstd", DECODER_ZSTD},
		{"bzip2", DECODER_BZIP2},
		{"xz", DECODER_XZ}
	};

	for (size_t i = 0; format->compression != NULL && i < lengthof(types); i++)
	{
		if (strcmp(format->compression, types[i].name) != 0)
			continue;
		if (types[i].coding != DECODER_IDENTITY && types[i].coding != coding_of_mark(mark))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("invalid response: it is not compressed with %s", format->compression),
					 errdetail("Dataset \"%s\".", format->dataset),
					 errhint("Take file_compression_type out of params: the first bytes tell how a response is compressed.")));
		return types[i].coding;
	}
	return coding_of_mark(mark);
}

static int
encoding_of_mark(const char *mark, int otherwise)
{
	if (memcmp(mark, "\xff\xfe", 2) == 0)
		return RECORD_INPUT_UTF16;
	if (memcmp(mark, "\xfe\xff", 2) == 0)
		return RECORD_INPUT_UTF16BE;
	return memcmp(mark, "\xef\xbb\xbf", 3) == 0 || otherwise == RECORD_INPUT_UNKNOWN ? PG_UTF8 : otherwise;
}

/* The first bytes of the first document. */
static void
peek_spool(Spool *spool, char *mark)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice mark", ALLOCSET_SMALL_SIZES);
	SpoolCursor cursor;
	const SpoolPart *part;

	memset(mark, 0, MARK_SIZE);
	if (spool_open_document(spool, 0, context, &cursor, &part))
		peek_mark(&cursor, mark);
	MemoryContextDelete(context);
}

bool
record_input_begins(Spool *spool, const char *text)
{
	char		mark[MARK_SIZE];

	peek_spool(spool, mark);
	return memcmp(mark, text, strlen(text)) == 0;
}

bool
record_input_is_plain(const RecordFormat *format, Spool *spool)
{
	char		mark[MARK_SIZE];

	peek_spool(spool, mark);
	return coding_of_document(format, mark) == DECODER_IDENTITY &&
		encoding_of_mark(mark, format->encoding) == PG_UTF8;
}

/* ---- unpacking ---- */

pg_noreturn static void
refuse_packed(const RecordInput *input, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid response: %s", problem),
			 errdetail("Dataset \"%s\", behind " INT64_FORMAT " bytes.", input->format->dataset, input->unpacked),
			 errhint("%s", hint)));
}

static Size
unpack(RecordInput *input, char *buffer, Size size)
{
	Size		written = 0;

	while (written == 0)
	{
		DecoderOutcome outcome;
		size_t		read;

		CHECK_FOR_INTERRUPTS();
		if (input->packed_done == input->packed_used)
		{
			input->packed_done = 0;
			input->packed_used = spool_read(input->cursor, input->packed, PIECE_SIZE);
		}
		outcome = decoder_run(input->decoder, input->packed + input->packed_done,
							  input->packed_used - input->packed_done, &read, buffer, size, &written);
		input->packed_done += read;
		if (outcome == DECODER_DAMAGED ||
			(input->packed_used == 0 && written == 0 && !decoder_end(input->decoder)))
			refuse_packed(input, decoder_problem(input->decoder), "Look whether the source has the file whole.");
		if (input->packed_used == 0 && written == 0)
			return 0;
	}
	input->unpacked += written;
	if (input->unpacked > (int64) spice_fetch_max_size * 1024 * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("response of dataset \"%s\" is larger than spice.fetch_max_size", input->format->dataset),
				 errdetail("The limit is %d MB after decompression.", spice_fetch_max_size),
				 errhint("Raise spice.fetch_max_size, or ask the source for less.")));
	return written;
}

static Size
read_unpacked(RecordInput *input, char *buffer, Size size)
{
	return input->decoder != NULL ? unpack(input, buffer, size) : spool_read(input->cursor, buffer, size);
}

/* ---- converting ---- */

pg_noreturn static void
refuse_character(const RecordInput *input, const char *encoding)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("invalid response: invalid %s", encoding),
			 errdetail("Dataset \"%s\".", input->format->dataset),
			 errhint("Write the encoding that the source uses as encoding in params.")));
}

static uint16
utf16_unit(const RecordInput *input, Size at)
{
	const unsigned char *p = (const unsigned char *) input->raw + at;

	return input->encoding == RECORD_INPUT_UTF16BE ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

/* Returns how many bytes are converted: a pair or a unit may be cut. */
static Size
convert_utf16(RecordInput *input)
{
	Size		at = 0;

	while (at + 2 <= input->raw_used)
	{
		pg_wchar	c = utf16_unit(input, at);
		unsigned char utf8[MAX_MULTIBYTE_CHAR_LEN];

		if (is_utf16_surrogate_first(c))
		{
			if (at + 4 > input->raw_used)
				return at;
			if (!is_utf16_surrogate_second(utf16_unit(input, at + 2)))
				refuse_character(input, "UTF-16");
			c = surrogate_pair_to_codepoint(c, utf16_unit(input, at + 2));
			at += 2;
		}
		else if (is_utf16_surrogate_second(c))
			refuse_character(input, "UTF-16");
		at += 2;
		unicode_to_utf8(c, utf8);
		appendBinaryStringInfo(&input->text, (char *) utf8, pg_utf_mblen(utf8));
	}
	return at;
}

/* the same for an encoding of the server's */
static Size
convert_known(RecordInput *input)
{
	Size		whole = pg_encoding_verifymbstr(input->encoding, input->raw, (int) input->raw_used);
	unsigned char *text;

	if (input->raw_used - whole >= (Size) pg_encoding_max_length(input->encoding))
		refuse_character(input, pg_encoding_to_char(input->encoding));
	if (whole == 0)
		return 0;
	text = pg_do_encoding_conversion((unsigned char *) input->raw, (int) whole, input->encoding, PG_UTF8);
	appendStringInfoString(&input->text, (char *) text);
	pfree(text);
	return whole;
}

static void
convert_piece(RecordInput *input)
{
	MemoryContext old = MemoryContextSwitchTo(input->context);
	Size		done;

	resetStringInfo(&input->text);
	while (input->text.len == 0 && !(input->raw_ended && input->raw_used == 0))
	{
		Size		n = read_unpacked(input, input->raw + input->raw_used, PIECE_SIZE - input->raw_used);

		input->raw_ended = n == 0;
		input->raw_used += n;
		done = input->encoding < 0 ? convert_utf16(input) : convert_known(input);
		if (input->raw_ended && done < input->raw_used)
			refuse_character(input, input->encoding < 0 ? "UTF-16" : pg_encoding_to_char(input->encoding));
		input->raw_used -= done;
		memmove(input->raw, input->raw + done, input->raw_used);
	}
	MemoryContextSwitchTo(old);
}

/* ---- life ---- */

static void
free_decoder(void *arg)
{
	decoder_free(arg);
}

static void
prepare_unpacking(RecordInput *input, DecoderCoding coding)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	input->decoder = decoder_create(coding);
	if (input->decoder == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	callback->func = free_decoder;
	callback->arg = input->decoder;
	MemoryContextRegisterResetCallback(input->context, callback);
	input->packed = palloc(PIECE_SIZE);
}

/* What is unpacked begins with a mark of its own. */
static void
prepare_converting(RecordInput *input, const char *mark)
{
	char		unpacked[MARK_SIZE] = {0};

	input->raw = palloc(PIECE_SIZE);
	initStringInfo(&input->text);
	if (input->decoder != NULL)
	{
		Size		n;

		while (input->raw_used < MARK_SIZE &&
			   (n = unpack(input, input->raw + input->raw_used, PIECE_SIZE - input->raw_used)) > 0)
			input->raw_used += n;
		memcpy(unpacked, input->raw, Min(input->raw_used, MARK_SIZE));
		mark = unpacked;
	}
	input->encoding = encoding_of_mark(mark, input->format->encoding);
}

RecordInput *
record_input_open(const RecordFormat *format, SpoolCursor *cursor, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	RecordInput *input = palloc0(sizeof(RecordInput));
	char		mark[MARK_SIZE];
	DecoderCoding coding;

	input->format = format;
	input->context = context;
	input->cursor = cursor;
	peek_mark(cursor, mark);
	coding = coding_of_document(format, mark);
	if (coding != DECODER_IDENTITY)
		prepare_unpacking(input, coding);
	if (coding != DECODER_IDENTITY || encoding_of_mark(mark, format->encoding) != PG_UTF8)
		prepare_converting(input, mark);
	else
		input->encoding = PG_UTF8;
	MemoryContextSwitchTo(old);
	return input;
}

int64_t
record_input_read(void *arg, char *buffer, size_t size)
{
	RecordInput *input = arg;
	Size		n;

	if (input->raw == NULL)
		return (int64_t) spool_read(input->cursor, buffer, size);
	if (input->encoding == PG_UTF8)
	{
		/* what was unpacked to look at its mark comes first */
		if (input->raw_used == 0)
			return (int64_t) unpack(input, buffer, size);
		n = Min(size, input->raw_used);
		memcpy(buffer, input->raw, n);
		input->raw_used -= n;
		memmove(input->raw, input->raw + n, input->raw_used);
		return (int64_t) n;
	}
	if (input->text.cursor == input->text.len)
		convert_piece(input);
	n = Min(size, (Size) (input->text.len - input->text.cursor));
	memcpy(buffer, input->text.data + input->text.cursor, n);
	input->text.cursor += (int) n;
	return (int64_t) n;
}

void
record_input_seek(void *arg, int64_t offset)
{
	((RecordInput *) arg)->cursor->offset = offset;
}

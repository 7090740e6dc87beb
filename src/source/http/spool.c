/*-------------------------------------------------------------------------
 *
 * spool.c
 *		The bytes of one response.
 *
 * A response must be complete and its digest known before the database is
 * touched, and its length is not known beforehand.  The bytes go into blocks of
 * memory; once the blocks exceed their limit, full blocks are written to a
 * temporary file of the server's, which counts against temp_file_limit.  Blocks
 * grow by doubling and never move: a small response costs little, and a large one
 * is not copied again and again.
 *
 * libcurl's callback appends the bytes, and no error may pass through libcurl.
 * So spool_append() only copies; spool_flush() and spool_finish() do what may
 * fail.
 *
 * States and their successors:
 *
 *		memory only -> with file	(spool_flush)
 *		memory only -> finished		(spool_finish: read from the blocks)
 *		with file	-> finished		(spool_finish: read from the file)
 *		(nothing)	-> finished		(spool_of_file, spool_attach: the file was there;
 *									spool_of_parts, spool_of_methods: the bytes are elsewhere)
 *
 * The digest is a hash of 128 bits that includes the length.  It is not core's:
 * of 223 MB this one takes 9 ms, and hash_bytes_extended() 75 ms for each 64 bits,
 * beside a refresh of some 430 ms.  The words of a block go by turns into lanes
 * that do not wait for one another; each step of a lane is a bijection, so a single
 * change is never lost.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/spool.h"

#include <fcntl.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "settings.h"

#define FIRST_BLOCK_SIZE	((Size) 64 * 1024)
#define LAST_BLOCK_SIZE		((Size) 1024 * 1024)	/* also what is written at once */
#define MAX_READ			((Size) 4 * 1024 * 1024)
#define DIGEST_LANES		4
#define DIGEST_STRIDE		(DIGEST_LANES * sizeof(uint64))

/* All blocks but the last are full; every size is a multiple of the stride. */
typedef struct SpoolBlock
{
	struct SpoolBlock *next;
	Size		size;
	Size		used;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} SpoolBlock;

struct Spool
{
	MemoryContext context;		/* holds the spool itself, too */
	MemoryContextCallback callback;
	Size		memory;			/* what the blocks may hold */
	Size		in_memory;		/* what they hold */
	SpoolBlock *first;
	SpoolBlock *last;			/* the one being filled */
	SpoolBlock *spare;			/* written and empty, or NULL */
	int64		size;			/* in all */
	File		file;			/* 0: none */
	int64		in_file;
	bool		finished;
	char	   *type;			/* or NULL */
	const SpoolMethods *methods;	/* read the bytes; NULL: they are here */
	void	   *arg;
	bool		nothing;		/* there is no document */
	List	   *parts;			/* of SpoolPart *: other spools have the bytes; NIL: this one has */
	uint64		lanes[DIGEST_LANES];
	uint8		digest[SPOOL_DIGEST_LENGTH];
};

/* ---- digest ---- */

static inline uint64
mix_word(uint64 hash, uint64 word)
{
	/*
	 * The factor is odd, so the product loses nothing; the rotation brings its best bits down.
	 */
	hash = (hash ^ word) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash << 29 | hash >> 35;
}

static inline uint64
word_at(const char *data)
{
	uint64		word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* length is a multiple of the stride */
static void
hash_strides(Spool *spool, const char *data, Size length)
{
	uint64		a = spool->lanes[0];
	uint64		b = spool->lanes[1];
	uint64		c = spool->lanes[2];
	uint64		d = spool->lanes[3];

	for (const char *end = data + length; data < end; data += DIGEST_STRIDE)
	{
		a = mix_word(a, word_at(data));
		b = mix_word(b, word_at(data + 8));
		c = mix_word(c, word_at(data + 16));
		d = mix_word(d, word_at(data + 24));
	}
	spool->lanes[0] = a;
	spool->lanes[1] = b;
	spool->lanes[2] = c;
	spool->lanes[3] = d;
}

/* Zeros fill the last stride of the last block: the length tells them from zeros that came. */
static void
hash_block(Spool *spool, SpoolBlock *block)
{
	Size		whole = TYPEALIGN(DIGEST_STRIDE, block->used);

	memset(block->data + block->used, 0, whole - block->used);
	hash_strides(spool, block->data, whole);
}

/* both halves come from all lanes, in opposite orders */
static void
complete_digest(Spool *spool)
{
	uint64		halves[2] = {(uint64) spool->size, ~(uint64) spool->size};

	for (int i = 0; i < DIGEST_LANES; i++)
	{
		halves[0] = mix_word(halves[0], spool->lanes[i]);
		halves[1] = mix_word(halves[1], spool->lanes[DIGEST_LANES - 1 - i]);
	}
	StaticAssertStmt(sizeof(halves) == SPOOL_DIGEST_LENGTH, "a digest has two halves");
	memcpy(spool->digest, halves, sizeof(halves));
}

/* ---- life ---- */

void
spool_discard(Spool *spool)
{
	if (spool->file > 0)
		FileClose(spool->file);
	spool->file = 0;
}

/* runs when the context goes, also in the middle of an error */
static void
discard_callback(void *arg)
{
	spool_discard(arg);
}

Spool *
spool_create(MemoryContext parent, Size memory)
{
	MemoryContext context = AllocSetContextCreate(parent, "spice spool", ALLOCSET_SMALL_SIZES);
	Spool	   *spool = MemoryContextAllocZero(context, sizeof(Spool));

	spool->context = context;
	spool->memory = memory;
	spool->callback.func = discard_callback;
	spool->callback.arg = spool;
	MemoryContextRegisterResetCallback(context, &spool->callback);
	return spool;
}

void
spool_empty(Spool *spool)
{
	SpoolBlock *block = spool->first;

	while (block != NULL)
	{
		SpoolBlock *next = block->next;

		explicit_bzero(block->data, block->size);
		pfree(block);
		block = next;
	}
	if (spool->spare != NULL)
		pfree(spool->spare);
	spool->first = spool->last = spool->spare = NULL;
	spool->in_memory = 0;
	/* the file, if there is one, is written again from its start */
	spool->size = spool->in_file = 0;
	memset(spool->lanes, 0, sizeof(spool->lanes));
}

Spool *
spool_create_response(MemoryContext parent)
{
	return spool_create(parent, (Size) spice_fetch_memory * 1024);
}

Spool *
spool_of_file(MemoryContext parent, File file, int64 size)
{
	Spool	   *spool = spool_create(parent, 0);

	spool->file = file;
	spool->size = spool->in_file = size;
	spool->finished = true;
	return spool;
}

Spool *
spool_attach(MemoryContext parent, const char *path, int64 size)
{
	File		file = PathNameOpenFile(path, O_RDONLY | PG_BINARY);

	if (file <= 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open the temporary file of a fetched response: %m")));
	return spool_of_file(parent, file, size);
}

Spool *
spool_of_methods(MemoryContext parent, const SpoolMethods *methods, void *arg, int64 size)
{
	Spool	   *spool = spool_create(parent, 0);

	spool->methods = methods;
	spool->arg = arg;
	spool->size = size;
	spool->finished = true;
	return spool;
}

static void
read_slice(void *arg, int64 offset, char *buffer, Size size)
{
	SpoolCursor cursor = *(const SpoolCursor *) arg;

	cursor.offset += offset;
	if (!spool_read_fully(&cursor, buffer, size))
		elog(ERROR, "part of a response is shorter than it was");
}

Spool *
spool_slice(MemoryContext parent, Spool *whole, int64 offset, int64 size)
{
	static const SpoolMethods methods = {.read = read_slice};
	SpoolCursor *start = MemoryContextAlloc(parent, sizeof(SpoolCursor));

	start->spool = whole;
	start->offset = offset;
	return spool_of_methods(parent, &methods, start, size);
}

void
spool_expect(Spool *spool, const ByteRange *ranges, int n)
{
	if (spool->methods != NULL && spool->methods->expect != NULL)
		spool->methods->expect(spool->arg, ranges, n);
}

Spool *
spool_of_parts(MemoryContext parent, List *parts, const uint8 *digest)
{
	Spool	   *spool = spool_create(parent, 0);
	ListCell   *cell;

	spool->parts = parts;
	foreach(cell, parts)
		spool->size += ((const SpoolPart *) lfirst(cell))->size;
	memcpy(spool->digest, digest, SPOOL_DIGEST_LENGTH);
	spool->finished = true;
	return spool;
}

Spool *
spool_of_nothing(MemoryContext parent)
{
	static const uint8 digest[SPOOL_DIGEST_LENGTH] = {0};
	Spool	   *spool = spool_of_parts(parent, NIL, digest);

	spool->nothing = true;
	return spool;
}

void
spool_free(Spool *spool)
{
	MemoryContextDelete(spool->context);
}

/* ---- writing ---- */

/* Adds an empty block behind the last.  False: out of memory. */
static bool
add_block(Spool *spool)
{
	Size		size = spool->last != NULL ? Min(spool->last->size * 2, LAST_BLOCK_SIZE) :
	spool->file > 0 ? LAST_BLOCK_SIZE : FIRST_BLOCK_SIZE;
	SpoolBlock *block = spool->spare;

	spool->spare = NULL;
	if (block == NULL)
	{
		block = MemoryContextAllocExtended(spool->context, offsetof(SpoolBlock, data) + size,
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
		if (block == NULL)
			return false;
		block->size = size;
	}
	block->next = NULL;
	block->used = 0;
	if (spool->last != NULL)
		spool->last->next = block;
	else
		spool->first = block;
	spool->last = block;
	return true;
}

bool
spool_append(Spool *spool, const char *data, Size length)
{
	Assert(!spool->finished);
	while (length > 0)
	{
		SpoolBlock *block = spool->last;
		Size		n = block != NULL ? Min(block->size - block->used, length) : 0;

		if (n == 0)
		{
			if (!add_block(spool))
				return false;
			continue;
		}
		memcpy(block->data + block->used, data, n);
		block->used += n;
		data += n;
		length -= n;
		spool->in_memory += n;
		spool->size += n;
	}
	return true;
}

void
spool_write(Spool *spool, const void *data, Size length)
{
	if (!spool_append(spool, data, length))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

/* moves the first block to the file; the block becomes the spare one or goes */
static void
write_block(Spool *spool)
{
	SpoolBlock *block = spool->first;

	CHECK_FOR_INTERRUPTS();
	hash_block(spool, block);
	errno = 0;
	if (FileWrite(spool->file, block->data, block->used, spool->in_file,
				  WAIT_EVENT_BUFFILE_WRITE) != (ssize_t) block->used)
	{
		/* what does not fit is cut short */
		if (errno == 0)
			errno = ENOSPC;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write a fetched response to a temporary file: %m"),
				 errhint("Free disk space in the data directory, or raise spice.fetch_memory.")));
	}
	spool->in_file += block->used;
	spool->in_memory -= block->used;
	spool->first = block->next;
	if (spool->first == NULL)
		spool->last = NULL;
	if (spool->spare == NULL && block->size == LAST_BLOCK_SIZE)
		spool->spare = block;
	else
		pfree(block);
}

void
spool_flush(Spool *spool)
{
	if (spool->file <= 0)
	{
		if (spool->in_memory <= spool->memory)
			return;
		spool->file = OpenTemporaryFile(true);
	}
	while (spool->first != NULL && spool->first->used == spool->first->size)
		write_block(spool);
}

void
spool_finish(Spool *spool)
{
	Assert(!spool->finished);
	spool_flush(spool);
	if (spool->file > 0)
	{
		while (spool->first != NULL)
			write_block(spool);
		if (spool->spare != NULL)
			pfree(spool->spare);
		spool->spare = NULL;
	}
	for (SpoolBlock *block = spool->first; block != NULL; block = block->next)
		hash_block(spool, block);
	complete_digest(spool);
	spool->finished = true;
}

/* ---- what is known of it ---- */

const char *
spool_path(const Spool *spool)
{
	return spool->file > 0 ? FilePathName(spool->file) : NULL;
}

File
spool_file(const Spool *spool)
{
	return spool->file;
}

int64
spool_size(const Spool *spool)
{
	return spool->size;
}

void
spool_set_type(Spool *spool, const char *type)
{
	spool->type = MemoryContextStrdup(spool->context, type);
}

const char *
spool_type(const Spool *spool)
{
	return spool->type != NULL ? spool->type : "";
}

const uint8 *
spool_digest(const Spool *spool)
{
	Assert(spool->finished);
	return spool->digest;
}

/* ---- reading ---- */

void
spool_rewind(Spool *spool, SpoolCursor *cursor)
{
	cursor->spool = spool;
	cursor->offset = 0;
}

const SpoolPart *
spool_part(const Spool *spool, int number)
{
	return number < list_length(spool->parts) ? list_nth(spool->parts, number) : NULL;
}

const PartValue *
spool_part_value(const SpoolPart *part, const char *name)
{
	ListCell   *cell;

	foreach(cell, part->values)
	{
		const PartValue *value = lfirst(cell);

		if (strcmp(value->name, name) == 0)
			return value;
	}
	return NULL;
}

bool
spool_open_document(Spool *spool, int number, MemoryContext context, SpoolCursor *cursor,
					const SpoolPart **part)
{
	*part = NULL;
	if (spool->nothing || number >= Max(list_length(spool->parts), 1))
		return false;
	if (spool->parts != NIL)
	{
		*part = list_nth(spool->parts, number);
		spool = (*part)->open(*part, context);
	}
	spool_rewind(spool, cursor);
	return true;
}

static Size
read_memory(const Spool *spool, int64 offset, char *buffer, Size size)
{
	for (const SpoolBlock *block = spool->first; block != NULL; block = block->next)
	{
		if (offset < (int64) block->used)
		{
			Size		n = Min(size, block->used - (Size) offset);

			memcpy(buffer, block->data + offset, n);
			return n;
		}
		offset -= block->used;
	}
	return 0;
}

static Size
read_file(const Spool *spool, int64 offset, char *buffer, Size size)
{
	int64		left = spool->in_file - offset;
	ssize_t		n;

	if (left <= 0)
		return 0;
	n = FileRead(spool->file, buffer, Min(Min((int64) size, left), (int64) MAX_READ), offset,
				 WAIT_EVENT_BUFFILE_READ);
	if (n <= 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 n < 0 ? errmsg("could not read file \"%s\": %m", FilePathName(spool->file)) :
				 errmsg("file \"%s\" is shorter than it was", FilePathName(spool->file))));
	return (Size) n;
}

Size
spool_read(SpoolCursor *cursor, char *buffer, Size size)
{
	const Spool *spool = cursor->spool;
	Size		n;

	Assert(spool->finished);
	if (spool->methods != NULL)
	{
		n = (Size) Min((int64) size, spool->size - cursor->offset);
		if (n > 0)
			spool->methods->read(spool->arg, cursor->offset, buffer, n);
	}
	else if (spool->file > 0)
		n = read_file(spool, cursor->offset, buffer, size);
	else
		n = read_memory(spool, cursor->offset, buffer, size);
	cursor->offset += n;
	return n;
}

bool
spool_read_fully(SpoolCursor *cursor, void *buffer, Size size)
{
	Size		n;

	for (Size done = 0; done < size; done += n)
	{
		n = spool_read(cursor, (char *) buffer + done, size - done);
		if (n == 0)
			return false;
	}
	return true;
}

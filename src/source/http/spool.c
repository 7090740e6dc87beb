/*-------------------------------------------------------------------------
 *
 * spool.c
 *		The bytes of one fetched response.
 *
 * A response must be complete and have its digest known before the database
 * is touched, and nobody knows beforehand how long it is.  So the bytes go
 * into blocks of memory, and once these would exceed their limit, into a
 * temporary file that two blocks then buffer by turns, one being filled while the
 * other is written (spool_file.c).  Blocks grow by doubling and never move: a small
 * response costs little, a large one is not copied again and again.
 *
 * Bytes are added by a libcurl callback, through which no error may pass.  So
 * spool_append() only copies; what may fail with an error happens in spool_flush()
 * and spool_finish().
 *
 * States and their successors:
 *
 *		memory only -> with file	(spool_flush)
 *		memory only -> finished		(spool_finish: read from the blocks)
 *		with file	-> finished		(spool_finish: read from the file)
 *		(nothing)	-> finished		(spool_attach: another process's file)
 *
 * The digest is taken on the way: a hash of 128 bits, the length in it.  A
 * cryptographic one would cost more than reading the records does.  It takes
 * words by turns into lanes that do not wait for one another; each step of a
 * lane is a bijection, so that no single change is lost.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/spool.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "source/http/spool_file.h"

#define SPOOL_FIRST_BLOCK	((Size) 64 * 1024)
#define SPOOL_LAST_BLOCK	((Size) 4 * 1024 * 1024)
#define SPOOL_WRITE_SIZE	((Size) 1024 * 1024)	/* smaller ones wake the writing thread too
													 * often */
#define DIGEST_LANES		4
#define DIGEST_STRIDE		(DIGEST_LANES * sizeof(uint64))

typedef struct SpoolBlock
{
	struct SpoolBlock *next;
	Size		size;
	Size		used;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} SpoolBlock;

struct Spool
{
	MemoryContext context;		/* holds the spool itself too */
	uint64		lanes[DIGEST_LANES];	/* the hash of all strides before this one */
	char		stride[DIGEST_STRIDE];
	Size		in_stride;
	bool		finished;
	bool		too_large;
	bool		buffers_file;	/* do the blocks, or will they soon? */
	Size		memory;			/* what the blocks may hold; of two that buffer a file, the one
								 * being filled */
	int64		max_size;
	int64		size;			/* in all */
	SpoolBlock *first;
	SpoolBlock *last;			/* the one being filled */
	SpoolBlock *written;		/* buffers the file, too, by turns with the first; NULL: not yet */
	Size		in_memory;		/* bytes in all blocks */
	SpoolFile  *file;			/* NULL: none */
	uint8		digest[SPOOL_DIGEST_LENGTH];
};

void
spool_discard(Spool *spool)
{
	spool_file_close(spool->file);
	spool->file = NULL;
}

static inline uint64
mix_word(uint64 hash, uint64 word)
{
	/* odd: nothing is lost in the product, whose best bits come down by turning it */
	hash = (hash ^ word) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash << 29 | hash >> 35;
}

/* one by one: a copy of a whole stride would go through memory */
static inline uint64
word_at(const char *data)
{
	uint64		word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* length: of whole strides */
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

/* strides do not depend on the pieces in which the bytes come */
static void
digest_bytes(Spool *spool, const char *data, Size length)
{
	Size		whole;

	if (spool->in_stride > 0)
	{
		Size		n = Min(DIGEST_STRIDE - spool->in_stride, length);

		memcpy(spool->stride + spool->in_stride, data, n);
		spool->in_stride += n;
		data += n;
		length -= n;
		if (spool->in_stride < DIGEST_STRIDE)
			return;
		hash_strides(spool, spool->stride, DIGEST_STRIDE);
	}
	whole = length - length % DIGEST_STRIDE;
	hash_strides(spool, data, whole);
	spool->in_stride = length - whole;
	memcpy(spool->stride, data + whole, spool->in_stride);
}

/* both halves come from all lanes, in opposite orders */
static void
finish_digest(Spool *spool)
{
	uint64		halves[2] = {(uint64) spool->size, ~(uint64) spool->size};

	/* zeros for what the last stride lacks: the length tells them from zeros that came */
	memset(spool->stride + spool->in_stride, 0, DIGEST_STRIDE - spool->in_stride);
	hash_strides(spool, spool->stride, DIGEST_STRIDE);
	for (int i = 0; i < DIGEST_LANES; i++)
	{
		halves[0] = mix_word(halves[0], spool->lanes[i]);
		halves[1] = mix_word(halves[1], spool->lanes[DIGEST_LANES - 1 - i]);
	}
	StaticAssertStmt(sizeof(halves) == SPOOL_DIGEST_LENGTH, "a digest has two halves");
	memcpy(spool->digest, halves, sizeof(halves));
}

Spool *
spool_create(MemoryContext parent, Size memory, int64 max_size)
{
	MemoryContext context;
	Spool	   *spool;

	context = AllocSetContextCreate(parent, "spice spool", ALLOCSET_SMALL_SIZES);
	spool = MemoryContextAllocZero(context, sizeof(Spool));
	spool->context = context;
	spool->memory = memory;
	spool->max_size = max_size;
	return spool;
}

/* from here on, or from the start, two blocks buffer the file */
static void
buffer_file(Spool *spool)
{
	spool->buffers_file = true;
	spool->memory = Min(spool->memory / 2, SPOOL_WRITE_SIZE);
}

void
spool_expect(Spool *spool, int64 size)
{
	if (spool->size == 0 && !spool->buffers_file && size > (int64) spool->memory)
		buffer_file(spool);
}

void
spool_free(Spool *spool)
{
	MemoryContextDelete(spool->context);
}

/* when their bytes are in the file */
static void
free_blocks(Spool *spool)
{
	for (SpoolBlock *block = spool->first, *next; block != NULL; block = next)
	{
		next = block->next;
		pfree(block);
	}
	spool->first = spool->last = NULL;
	if (spool->written != NULL)
		pfree(spool->written);
	spool->written = NULL;
}

/* the full block may still be being written; the other one has been */
static void
change_blocks(Spool *spool)
{
	SpoolBlock *full = spool->first;

	spool->first = spool->written;
	spool->last = NULL;
	spool->written = full;
}

/*
 * A block with at least one free byte becomes the last: the one after it, left
 * from before a flush, or a new one.  False: no memory.
 */
static bool
next_block(Spool *spool)
{
	SpoolBlock *block = spool->last != NULL ? spool->last->next : spool->first;

	if (block == NULL)
	{
		Size		size = spool->buffers_file ? spool->memory : SPOOL_FIRST_BLOCK;

		if (spool->last != NULL)
			size = Min(spool->last->size * 2, SPOOL_LAST_BLOCK);
		block = MemoryContextAllocExtended(spool->context,
										   offsetof(SpoolBlock, data) + size,
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
		if (block == NULL)
			return false;
		block->next = NULL;
		block->size = size;
		block->used = 0;
		if (spool->last != NULL)
			spool->last->next = block;
		else
			spool->first = block;
	}
	spool->last = block;
	return true;
}

/*
 * Memory is filled to its last byte, so that the file is written in blocks which begin
 * where the kernel's large pages do.
 */
Size
spool_append(Spool *spool, const char *data, Size length)
{
	Size		done = 0;

	Assert(!spool->finished);
	if (spool->too_large || (int64) length > spool->max_size - spool->size)
	{
		spool->too_large = true;
		return 0;
	}
	length = Min(length, spool->memory - spool->in_memory);

	while (done < length)
	{
		SpoolBlock *block = spool->last;
		Size		n = block != NULL ? Min(block->size - block->used, length - done) : 0;

		if (n == 0)
		{
			if (next_block(spool))
				continue;
			break;
		}
		memcpy(block->data + block->used, data + done, n);
		block->used += n;
		done += n;
	}
	digest_bytes(spool, data, done);
	spool->in_memory += done;
	spool->size += done;
	return done;
}

void
spool_flush(Spool *spool)
{
	if (spool->in_memory == 0)
	{
		if (spool->written == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail("Not even the first block of a response fits.")));
		/* there is no memory for a second one: the one that is being written has to do */
		spool_file_settle(spool->file);
		change_blocks(spool);
		return;
	}
	if (spool->file == NULL)
		spool->file = spool_file_create(spool->context);

	for (SpoolBlock *block = spool->first; block != NULL && block->used > 0; block = block->next)
	{
		CHECK_FOR_INTERRUPTS();
		spool_file_append(spool->file, block->data, block->used);
		spool->in_memory -= block->used;
		block->used = 0;
	}
	if (spool->buffers_file)
		change_blocks(spool);
	else
	{
		spool_file_settle(spool->file);
		free_blocks(spool);
		buffer_file(spool);
	}
}

void
spool_finish(Spool *spool)
{
	Assert(!spool->finished);
	if (spool->file != NULL)
	{
		if (spool->in_memory > 0)
			spool_flush(spool);
		spool_file_settle(spool->file);
		free_blocks(spool);
	}
	finish_digest(spool);
	spool->finished = true;
}

const char *
spool_path(const Spool *spool)
{
	return spool->file != NULL ? spool_file_path(spool->file) : NULL;
}

int64
spool_size(const Spool *spool)
{
	return spool->size;
}

Spool *
spool_attach(MemoryContext parent, const char *path, int64 size)
{
	Spool	   *spool = spool_create(parent, 0, size);

	spool->file = spool_file_open(spool->context, path, size);
	spool->size = size;
	spool->finished = true;
	return spool;
}

const uint8 *
spool_digest(const Spool *spool)
{
	Assert(spool->finished);
	return spool->digest;
}

void
spool_rewind(Spool *spool, SpoolCursor *cursor)
{
	cursor->spool = spool;
	cursor->offset = 0;
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

Size
spool_read(SpoolCursor *cursor, char *buffer, Size size)
{
	const Spool *spool = cursor->spool;
	Size		n;

	Assert(spool->finished);
	if (spool->file != NULL)
		n = spool_file_read(spool->file, buffer, size, cursor->offset);
	else
		n = read_memory(spool, cursor->offset, buffer, size);
	cursor->offset += n;
	return n;
}

/*-------------------------------------------------------------------------
 *
 * http_range.c
 *		A document that stays with its server, and is read in parts.
 *
 * A reader says which ranges it reads next, for Parquet the wanted columns of a row group.
 * Ranges that lie close together are one request, and all of them go into one spool, in
 * memory and beyond that in a temporary file, until the next ones are expected.  What was not
 * expected, such as a footer, is fetched by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/http_range.h"

#include "source/http/http_error.h"
#include "source/http/http_transfer.h"
#include "source/http/pages.h"

#define FOOTER		65536		/* bytes; of most files it is smaller */
#define GAP			((int64) 32 * 1024) /* between ranges; costs less than a request */

typedef struct HttpRanges
{
	HttpSession *session;
	HttpRequest request;		/* its range is set for each */
	int64		size;
	MemoryContext context;
	Spool	   *spool;			/* the fetched ranges, one behind the other; or NULL */
	ByteRange  *ranges;			/* in the order of their offsets, apart from one another */
	int			n;
	int			capacity;
} HttpRanges;

/* Raises an error unless the answer is the range: anything else would be read as its bytes. */
static void
check_answer(const HttpRanges *ranges, const HttpTransfer *transfer, const ByteRange *range)
{
	long long	first;
	long long	last;

	if (transfer->status == 206 && transfer->body.bytes == range->length &&
		sscanf(transfer->content_range, "bytes %lld-%lld/", &first, &last) == 2 &&
		first == range->offset && last == range->offset + range->length - 1)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("could not fetch dataset \"%s\": source did not answer with the range that it was asked for",
					ranges->request.dataset),
			 errdetail("%s, status %d, Content-Range \"%s\", %lld bytes; asked for %s.", transfer->url.shown,
					   transfer->status, transfer->content_range, (long long) transfer->body.bytes,
					   ranges->request.range)));
}

/* replaces what was fetched before */
static void
fetch_ranges(HttpRanges *ranges)
{
	MemoryContext old = MemoryContextSwitchTo(ranges->context);

	if (ranges->spool != NULL)
		spool_free(ranges->spool);
	ranges->spool = spool_create_response(ranges->context);
	for (int i = 0; i < ranges->n; i++)
	{
		const ByteRange *range = &ranges->ranges[i];
		char	   *text = psprintf("bytes=%lld-%lld", (long long) range->offset,
									(long long) (range->offset + range->length - 1));

		ranges->request.range = text;
		check_answer(ranges, http_session_get(ranges->session, &ranges->request, ranges->spool), range);
		pfree(text);
	}
	spool_finish(ranges->spool);
	MemoryContextSwitchTo(old);
}

/* Where the bytes are in the spool, -1: they have not been fetched. */
static int64
find_fetched(const HttpRanges *ranges, int64 offset, int64 size)
{
	int64		before = 0;

	for (int i = 0; ranges->spool != NULL && i < ranges->n; i++)
	{
		const ByteRange *range = &ranges->ranges[i];

		if (offset >= range->offset && offset + size <= range->offset + range->length)
			return before + offset - range->offset;
		before += range->length;
	}
	return -1;
}

static bool
are_fetched(const HttpRanges *ranges, const ByteRange *expected, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (expected[i].length > 0 && find_fetched(ranges, expected[i].offset, expected[i].length) < 0)
			return false;
	}
	return true;
}

static void
reserve_ranges(HttpRanges *ranges, int n)
{
	if (n <= ranges->capacity)
		return;
	ranges->ranges = MemoryContextAlloc(ranges->context, sizeof(ByteRange) * n);
	ranges->capacity = n;
}

static int
compare_offsets(const void *a, const void *b)
{
	int64		first = ((const ByteRange *) a)->offset;
	int64		second = ((const ByteRange *) b)->offset;

	return first < second ? -1 : first > second;
}

static void
expect_ranges(void *arg, const ByteRange *expected, int n)
{
	HttpRanges *ranges = arg;
	int			merged = 0;

	if (are_fetched(ranges, expected, n))
		return;
	reserve_ranges(ranges, Max(n, 1));
	memcpy(ranges->ranges, expected, sizeof(ByteRange) * n);
	qsort(ranges->ranges, n, sizeof(ByteRange), compare_offsets);
	for (int i = 0; i < n; i++)
	{
		ByteRange  *last = merged > 0 ? &ranges->ranges[merged - 1] : NULL;
		ByteRange	range = ranges->ranges[i];

		if (range.length == 0)
			continue;
		if (last != NULL && range.offset <= last->offset + last->length + GAP)
			last->length = Max(last->length, range.offset + range.length - last->offset);
		else
			ranges->ranges[merged++] = range;
	}
	ranges->n = merged;
	fetch_ranges(ranges);
}

/* Fetches bytes that were not expected; of the end as much as most footers have, at once. */
static void
fetch_unexpected(HttpRanges *ranges, int64 offset, Size size)
{
	int64		end = Max(ranges->size - FOOTER, 0);

	reserve_ranges(ranges, 1);
	ranges->ranges[0].offset = offset >= end ? end : offset;
	ranges->ranges[0].length = offset >= end ? ranges->size - end : (int64) size;
	ranges->n = 1;
	fetch_ranges(ranges);
}

static void
read_range(void *arg, int64 offset, char *buffer, Size size)
{
	HttpRanges *ranges = arg;
	SpoolCursor cursor;
	int64		place = find_fetched(ranges, offset, size);

	if (place < 0)
	{
		fetch_unexpected(ranges, offset, size);
		place = find_fetched(ranges, offset, size);
	}
	spool_rewind(ranges->spool, &cursor);
	cursor.offset = place;
	if (!spool_read_fully(&cursor, buffer, size))
		elog(ERROR, "range of a response is shorter than it was");
}

Spool *
http_range_spool(HttpSession *session, const HttpRequest *request, int64 size, MemoryContext context)
{
	static const SpoolMethods methods = {.read = read_range, .expect = expect_ranges};
	HttpRanges *ranges = MemoryContextAllocZero(context, sizeof(HttpRanges));

	ranges->session = session;
	ranges->request = *request;
	ranges->size = size;
	ranges->context = context;
	return spool_of_methods(context, &methods, ranges, size);
}

/* ------- one document whose end tells where the rest is ------- */

typedef struct RangedDocument
{
	SpoolPart	part;
	HttpSession *session;
	HttpRequest request;
} RangedDocument;

static Spool *
open_document(const SpoolPart *part, MemoryContext context)
{
	const RangedDocument *document = (const RangedDocument *) part;

	return http_range_spool(document->session, &document->request, part->size, context);
}

/* The size of the document; -1: its ranges cannot be told to be of one version. */
static int64
ranged_size(const HttpTransfer *transfer)
{
	long long	size;

	if (transfer->status != 206 || !transfer->own_origin || transfer->etag[0] != '"' ||
		sscanf(transfer->content_range, "bytes %*d-%*d/%lld", &size) != 1)
		return -1;
	return size;
}

/* The digest is that of the version: the bytes have not been read. */
static Spool *
make_ranged_spool(RangedDocument *document, const HttpResponse *response, MemoryContext context)
{
	Spool	   *version = spool_create(context, SPOOL_DIGEST_LENGTH * 1024);
	const char *etag = document->request.if_match;

	spool_write(version, response->identity, HTTP_IDENTITY_LENGTH);
	spool_write(version, etag, strlen(etag));
	spool_finish(version);
	return spool_of_parts(context, list_make1(document), spool_digest(version));
}

HttpResponse *
http_range_fetch(const HttpRequest *request, HttpReport *report, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	RangedDocument *document = palloc0(sizeof(RangedDocument));
	HttpSession *session = http_session_open(report, context);
	Spool	   *spool = spool_create_response(context);
	const HttpTransfer *transfer;
	HttpResponse *response;

	document->request = *request;
	document->request.range = "bytes=-" CppAsString2(FOOTER);
	transfer = http_session_get(session, &document->request, spool);
	document->part.size = ranged_size(transfer);
	if (transfer->status == 206 && document->part.size < 0)
	{
		spool_free(spool);
		spool = spool_create_response(context);
		transfer = http_session_get(session, request, spool);
	}
	spool_finish(spool);
	response = pages_make_response(transfer, spool, context);
	if (transfer->status == 206)
	{
		document->session = session;
		document->request.validated = NULL;
		document->request.if_match = pstrdup(transfer->etag);
		document->part.location = pstrdup(transfer->url.shown);
		document->part.open = open_document;
		spool_free(spool);
		response->spool = make_ranged_spool(document, response, context);
	}
	else
		http_session_close(session);
	MemoryContextSwitchTo(old);
	return response;
}

/*-------------------------------------------------------------------------
 *
 * pages.c
 *		A whole response: one page, or one after the other until the last.
 *
 * Most responses are one page, and its spool is the response.  As soon as a second one
 * follows, the pages are copied behind one another into a spool of their own, whose digest
 * is that of all of them, and each becomes a document of the response.  A page is read here
 * only for the place of the next one and for its records' number and bytes; whether it is
 * valid is the load's business, which reads it anyway.
 *
 * A source that is asked for a page it does not know may answer with the first one or with
 * the one before.  So no URL is asked for twice, and no page has the records of the page before.
 *
 * States of a walk and their successors:
 *
 *		first		-> single		(no page follows)
 *		first		-> several		(a page follows)
 *		several		-> several		(and another one)
 *		several		-> complete		(no page follows, or it was denied behind a short one)
 *		any			-> failed		(an error is raised; nothing of the response remains)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/pages.h"

#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "compat.h"
#include "source/format/json_path.h"
#include "source/http/http_error.h"
#include "source/http/http_header.h"
#include "source/http/http_transfer.h"
#include "source/http/page_link.h"
#include "source/http/page_more.h"
#include "source/http/url.h"

#define COPY_SIZE		(64 * 1024)
#define MAX_TOKEN		4096

/* A page as a document of the response. */
typedef struct ResponsePage
{
	SpoolPart	part;
	Spool	   *whole;
	int64		offset;
} ResponsePage;

/* What a page holds. */
typedef struct PageContent
{
	int64		records;		/* -1: not known */
	uint64		hash;			/* of their bytes */
} PageContent;

typedef struct PageWalk
{
	const PageRules *rules;
	HttpSession *session;
	const HttpTransfer *transfer;
	HttpRequest request;		/* for the page that is asked for */
	Url			origin;
	char		url[URL_MAX_LENGTH + 1];	/* of the request, once a page has named one */
	char		next[URL_MAX_LENGTH + 1];
	int			first_number;	/* of the template's {page} */
	HTAB	   *asked;			/* hashes of the URLs */
	PageContent content;		/* of the newest page */
	MemoryContext context;		/* of the response */
	MemoryContext page_context; /* of the newest page */
	Spool	   *whole;			/* all pages; NULL: there is one */
	List	   *parts;			/* of ResponsePage * */
} PageWalk;

/* ---- what a page says ---- */

static int64
read_spool(void *arg, char *buffer, size_t size)
{
	return (int64) spool_read(arg, buffer, size);
}

static void
free_reader(void *arg)
{
	json_reader_free(arg);
}

/* The reader goes with context. */
static JsonReader *
open_json(SpoolCursor *cursor, JsonRecordFormat format, const char *pointer, MemoryContext context)
{
	JsonReaderOptions options = {.format = format, .pointer = pointer, .read = read_spool, .arg = cursor};
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	JsonReader *reader = json_reader_create(&options);

	if (reader == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	callback->func = free_reader;
	callback->arg = reader;
	MemoryContextRegisterResetCallback(context, callback);
	return reader;
}

static uint64
hash_range(Spool *page, int64 from, int64 to)
{
	unsigned char *buffer = palloc(COPY_SIZE);
	SpoolCursor cursor = {page, from};
	uint64		hash = 0;

	while (cursor.offset < to)
	{
		Size		n = spool_read(&cursor, (char *) buffer, Min(COPY_SIZE, to - cursor.offset));

		hash = hash_bytes_extended(buffer, (int) n, hash);
	}
	pfree(buffer);
	return hash;
}

pg_noreturn static void
refuse_walk(PageWalk *walk, const char *problem, const char *hint)
{
	http_raise_paging(&walk->request, walk->transfer, problem, hint);
	pg_unreachable();
}

/* The place of the next page is not to be guessed from what cannot be read. */
static void
check_json(PageWalk *walk, const JsonReader *reader)
{
	if (walk->rules->template == NULL && walk->rules->next_pointer == NULL)
		return;
	if (reader->error.code == JSON_ERROR_SYNTAX || reader->error.code == JSON_ERROR_ENCODING)
		refuse_walk(walk, psprintf("a page is not JSON in UTF-8: %s", reader->error.message),
					"Have the source send JSON in UTF-8, and name a compression in Content-Encoding.");
}

/* Where the records are not found, there is none: the load says why. */
static PageContent
read_content(PageWalk *walk, Spool *page)
{
	const PageRules *rules = walk->rules;
	PageContent content = {0};
	SpoolCursor cursor = {page, 0};
	int64		first = -1;
	int64		end = 0;
	MemoryContext context;
	JsonReader *reader;

	if (!rules->json)
		return (PageContent) {-1, hash_range(page, 0, spool_size(page))};
	context = AllocSetContextCreate(CurrentMemoryContext, "spice page reader", ALLOCSET_SMALL_SIZES);
	reader = open_json(&cursor, rules->format, rules->records, context);
	while (json_reader_next(reader) == JSON_RECORD)
	{
		first = first < 0 ? reader->offset : first;
		end = reader->end;
		content.records = reader->record;
	}
	check_json(walk, reader);
	MemoryContextDelete(context);
	if (content.records > 0)
		content.hash = hash_range(page, first, end);
	return content;
}

/* The text of a value that names the next page; NULL: the value is no text and no number. */
static char *
copy_next(const JsonValue *value)
{
	char	   *text;
	int64		length;

	if (value->kind == JSON_INTEGER)
		return pnstrdup(value->start, value->length);
	if (value->kind != JSON_STRING || value->length > URL_MAX_LENGTH)
		return NULL;
	text = palloc(value->length + 1);
	length = json_value_unescape(value, text);
	if (length < 0)
		return NULL;
	text[length] = '\0';
	return text;
}

/*
 * The value at next_pointer: its kind, JSON_ABSENT when there is none, and its text.  A part
 * "-" before the last one stands for the last element of an array.
 */
static JsonKind
read_next(PageWalk *walk, Spool *page, char **text)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice page reader", ALLOCSET_SMALL_SIZES);
	char	   *parent = pstrdup(walk->rules->next_pointer);
	char	   *name = strrchr(parent, '/');
	SpoolCursor cursor = {page, 0};
	JsonKind	kind = JSON_ABSENT;
	size_t		length;
	bool		of_last;
	JsonReader *reader;

	*name++ = '\0';
	of_last = strlen(parent) >= 2 && strcmp(parent + strlen(parent) - 2, "/-") == 0;
	if (of_last)
		parent[strlen(parent) - 2] = '\0';
	length = strlen(name);
	/* the manifest has been checked: no other ~ is there */
	(void) json_path_unescape(name, &length);
	reader = open_json(&cursor, JSON_FORMAT_DOCUMENT, parent, context);
	if (json_reader_add_field(reader, name, length) < 0)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	while (json_reader_next(reader) == JSON_RECORD)
	{
		kind = reader->values[0].kind;
		*text = copy_next(&reader->values[0]);
	}
	check_json(walk, reader);
	/* the records themselves do not name a page */
	if (!of_last && reader->record > 1)
		kind = JSON_ABSENT;
	MemoryContextDelete(context);
	return kind;
}

/* ---- the next page ---- */

/* Sets the URL of the next page to a target that a page has named. */
static void
go_to(PageWalk *walk, const char *target)
{
	Url		   *url = palloc(sizeof(Url));
	const char *refusal = url_redirect(&walk->transfer->url, target, url);

	if (refusal == NULL && !url_same_origin(url, &walk->origin))
		refusal = "it has another origin";
	if (refusal != NULL)
		refuse_walk(walk, psprintf("the next page is refused: %s", refusal),
					"Pages have to have scheme, host and port of from. Write the final URL there.");
	if (!page_link_add_query(url->text, walk->request.query_key != NULL ? walk->request.query_key : "",
							 walk->next, sizeof(walk->next)))
		refuse_walk(walk, "the next page is refused: URL too long", "Have the source give shorter URLs.");
	explicit_bzero(url, sizeof(Url));
	pfree(url);
}

/* Sets it to the one before, or the dataset's, with another query. */
static void
go_with(PageWalk *walk, const char *url, const char *query)
{
	if (!page_link_set_query(url, query, walk->next, sizeof(walk->next)))
		refuse_walk(walk, "the next page is refused: URL too long", "Have the source give shorter tokens.");
}

static void
go_by_token(PageWalk *walk, const char *token)
{
	char	   *pair = palloc(MAX_TOKEN);

	if (!page_link_pair(walk->rules->token_param, token, pair, MAX_TOKEN))
		refuse_walk(walk, "the next page is refused: token too long", "Have the source give shorter tokens.");
	go_with(walk, walk->request.url, pair);
	pfree(pair);
}

/* Sets *found to whether the page itself names a next one.  False: it says nothing about it. */
static bool
follow_pointer(PageWalk *walk, Spool *page, bool *found)
{
	char	   *text = NULL;
	JsonKind	kind = read_next(walk, page, &text);

	*found = false;
	if (kind == JSON_ABSENT)
		return false;
	if (kind == JSON_NULL || (text != NULL && text[0] == '\0'))
		return true;
	if (text == NULL || (kind == JSON_INTEGER && walk->rules->token_param == NULL))
		refuse_walk(walk, "pagination_next_pointer leads to no text",
					"It has to lead to a URL, or with pagination_token_param to a token, or to null at the last page.");
	*found = true;
	if (walk->rules->token_param != NULL)
		go_by_token(walk, text);
	else
		go_to(walk, text);
	return true;
}

/* Sets the URL of a page of the template, whose index is from 0. */
static void
go_by_template(PageWalk *walk, const char *url, int index)
{
	const PageRules *rules = walk->rules;
	char	   *query = palloc(URL_MAX_LENGTH);

	if (!page_link_expand(rules->template, index, walk->first_number, rules->page_size, query, URL_MAX_LENGTH))
		refuse_walk(walk, "the next page is refused: URL too long", "Write a shorter pagination_query_params.");
	go_with(walk, url, query);
	pfree(query);
}

/* Sets the URL of the page behind the newest one.  False: there is none. */
static bool
find_next(PageWalk *walk, Spool *page)
{
	const PageRules *rules = walk->rules;
	bool		found;

	if (rules == NULL)
		return false;
	if (rules->template != NULL)
	{
		/* a short page is the last one, unless the source gives less than was asked for */
		if (walk->content.records == 0)
			return false;
		walk->request.past_end = walk->content.records < rules->page_size;
		go_by_template(walk, walk->request.url, walk->request.page);
		return true;
	}
	if (rules->next_pointer != NULL && follow_pointer(walk, page, &found))
		return found;
	if (!rules->link_header || walk->transfer->next_link[0] == '\0')
		return false;
	go_to(walk, walk->transfer->next_link);
	return true;
}

/* ---- fetching ---- */

static void
ask_for_next(PageWalk *walk)
{
	strlcpy(walk->url, walk->next, sizeof(walk->url));
	walk->request.url = walk->url;
}

/* runs when the context goes: a query may hold secrets */
static void
wipe_walk(void *arg)
{
	explicit_bzero(arg, sizeof(PageWalk));
}

/* Refuses a URL that has been asked for before. */
static void
note_asked(PageWalk *walk, const char *url)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) url, (int) strlen(url), 0);
	bool		found;

	(void) hash_search(walk->asked, &hash, HASH_ENTER, &found);
	if (found)
		refuse_walk(walk, "the pages go round in a circle: the next one has been read before",
					"Check pagination_next_pointer and pagination_token_param, or set pagination: disabled.");
}

static Spool *
open_page(const SpoolPart *part, MemoryContext context)
{
	const ResponsePage *page = (const ResponsePage *) part;

	return spool_slice(context, page->whole, page->offset, part->size);
}

/* Copies a page behind those before. */
static void
append_page(PageWalk *walk, Spool *bytes)
{
	MemoryContext old = MemoryContextSwitchTo(walk->context);
	ResponsePage *page = palloc0(sizeof(ResponsePage));
	char	   *buffer = palloc(COPY_SIZE);
	SpoolCursor cursor = {bytes, 0};
	Size		n;

	page->part.location = "";
	page->part.page = walk->request.page;
	page->part.size = spool_size(bytes);
	page->part.open = open_page;
	page->whole = walk->whole;
	page->offset = spool_size(walk->whole);
	walk->parts = lappend(walk->parts, page);
	do
	{
		n = spool_read(&cursor, buffer, COPY_SIZE);
		/* the digest knows where a page ends */
		spool_write(walk->whole, n > 0 ? buffer : "", n > 0 ? n : 1);
		spool_flush(walk->whole);
	} while (n > 0);
	walk->request.before += spool_size(bytes);
	pfree(buffer);
	MemoryContextSwitchTo(old);
}

static Spool *
get_page(PageWalk *walk, MemoryContext context)
{
	Spool	   *page = spool_create_response(context);

	walk->transfer = http_session_get(walk->session, &walk->request, page);
	spool_finish(page);
	spool_set_type(page, walk->transfer->content_type);
	return page;
}

/* The page behind a short one has been asked for, to be sure. */
static void
check_end(PageWalk *walk, int64 records)
{
	if (walk->content.records > 0)
		refuse_walk(walk, psprintf("page %d has " INT64_FORMAT " records instead of %d, and yet another follows",
								   walk->request.page - 1, records, walk->rules->page_size),
					"Set pagination_page_size to what the source gives at most.");
}

/* Reads the pages behind the first one. */
static void
get_following(PageWalk *walk, Spool *page)
{
	do
	{
		PageContent before = walk->content;

		note_asked(walk, walk->next);
		if (walk->rules->max_pages > 0 && walk->request.page >= walk->rules->max_pages)
			refuse_walk(walk, psprintf("the source has more than %d pages", walk->rules->max_pages),
						"Raise pagination_max_pages, or set it to nolimit. A part of the pages is not loaded.");
		append_page(walk, page);
		spool_free(page);
		MemoryContextReset(walk->page_context);
		ask_for_next(walk);
		walk->request.may_be_nothing = true;
		walk->request.page++;
		walk->request.retries.most = walk->request.retries.most_of_pages;
		page = get_page(walk, walk->page_context);
		/* there is no such page */
		if (walk->transfer->status == 204 || (walk->request.past_end && walk->transfer->status >= 400))
			return;
		walk->content = read_content(walk, page);
		if (walk->request.past_end)
			check_end(walk, before.records);
		if (walk->content.records != 0 && walk->content.hash == before.hash &&
			walk->content.records == before.records)
			refuse_walk(walk, psprintf("page %d repeats the records of page %d", walk->request.page,
									   walk->request.page - 1),
						"The source does not seem to know the parameter that asks for a page: check pagination_token_param and pagination_query_params.");
	} while (find_next(walk, page));
	append_page(walk, page);
}

/* A validator becomes text of the catalog: NULL unless it is printable ASCII. */
static char *
copy_validator(MemoryContext context, const char *text)
{
	return http_header_is_printable(text) ? MemoryContextStrdup(context, text) : NULL;
}

HttpResponse *
pages_make_response(const HttpTransfer *transfer, Spool *spool, MemoryContext context)
{
	HttpResponse *response = MemoryContextAllocZero(context, sizeof(HttpResponse));

	if (transfer->status == 304 || transfer->status == 204)
		spool_free(spool);
	if (transfer->status == 204)
		response->spool = spool_of_nothing(context);
	else if (transfer->status != 304)
		response->spool = spool;
	memcpy(response->identity, transfer->identity, HTTP_IDENTITY_LENGTH);

	/* another origin's validators mean nothing to the one we ask next time */
	if (transfer->own_origin)
	{
		response->etag = copy_validator(context, transfer->etag);
		if (http_header_is_past(transfer->last_modified, transfer->date))
			response->last_modified = copy_validator(context, transfer->last_modified);
	}
	return response;
}

/* What is known of a first page says nothing about the rest. */
static HttpResponse *
fetch_rest(PageWalk *walk, Spool *first)
{
	HttpResponse *response = MemoryContextAllocZero(walk->context, sizeof(HttpResponse));
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64), .hcxt = CurrentMemoryContext};
	MemoryContext old;
	char	   *type;

	if (walk->rules->template == NULL)
		walk->content = read_content(walk, first);
	memcpy(response->identity, walk->transfer->identity, HTTP_IDENTITY_LENGTH);
	type = pstrdup(spool_type(first));
	walk->whole = spool_create_response(walk->context);
	walk->page_context = AllocSetContextCreate(walk->context, "spice page", ALLOCSET_DEFAULT_SIZES);
	walk->asked = hash_create("spice pages", 128, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	note_asked(walk, walk->transfer->url.text);
	old = MemoryContextSwitchTo(walk->page_context);
	get_following(walk, first);
	MemoryContextSwitchTo(old);
	spool_finish(walk->whole);
	response->spool = spool_of_parts(walk->context, walk->parts, spool_digest(walk->whole));
	spool_set_type(response->spool, type);
	MemoryContextDelete(walk->page_context);
	return response;
}

/* Begins with the dataset's own URL, or with the template's first page. */
static void
begin_walk(PageWalk *walk, const HttpRequest *request)
{
	const PageRules *rules = walk->rules;

	walk->request = *request;
	if (rules == NULL)
		return;
	/* a page may stay as it is while another follows it */
	if (rules->template != NULL || rules->next_pointer != NULL)
		walk->request.validated = NULL;
	if (rules->template == NULL)
		return;
	walk->first_number = page_link_first(request->url, rules->template);
	go_by_template(walk, request->url, 0);
	ask_for_next(walk);
}

/* What the only page has to say of another one that no rule leads to; or NULL. */
static char *
find_more(PageWalk *walk, Spool *page)
{
	const PageRules *rules = walk->rules;
	char	   *bytes = palloc(2 * PAGE_MORE_SIZE);
	char	   *pointer = palloc(PAGE_MORE_POINTER);
	SpoolCursor start = {page, 0};
	SpoolCursor end = {page, Max(0, spool_size(page) - PAGE_MORE_SIZE)};
	Size		start_length;
	Size		end_length;

	if (rules == NULL || !rules->json || rules->format == JSON_FORMAT_LINES || rules->next_pointer != NULL ||
		rules->template != NULL)
		return NULL;
	start_length = spool_read(&start, bytes, PAGE_MORE_SIZE);
	end_length = spool_read(&end, bytes + PAGE_MORE_SIZE, PAGE_MORE_SIZE);
	return page_more_find(bytes, start_length, bytes + PAGE_MORE_SIZE, end_length, pointer) ?
		MemoryContextStrdup(walk->context, pointer) : NULL;
}

HttpResponse *
pages_fetch(const HttpRequest *request, const PageRules *rules, HttpReport *report, MemoryContext context)
{
	PageWalk   *walk = palloc0(sizeof(PageWalk));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	HttpResponse *response;
	Spool	   *page;
	int			status;

	callback->func = wipe_walk;
	callback->arg = walk;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	walk->rules = rules;
	walk->context = context;
	walk->session = http_session_open(report, context);
	begin_walk(walk, request);
	page = get_page(walk, context);
	if (walk->transfer->status == 304 && rules != NULL && rules->link_header && walk->transfer->next_link[0] != '\0')
	{
		spool_free(page);
		walk->request.validated = NULL;
		page = get_page(walk, context);
	}
	/* the request's own URL has been judged by now */
	(void) url_parse(walk->request.url, request->port, &walk->origin);
	walk->request.page = 1;
	status = report->status;
	if (rules != NULL && rules->template != NULL && status != 204)
		walk->content = read_content(walk, page);
	response = status != 304 && status != 204 && find_next(walk, page) ? fetch_rest(walk, page) :
		pages_make_response(walk->transfer, page, context);
	if (walk->whole == NULL && response->spool == page)
		response->more = find_more(walk, page);
	report->status = status;
	http_session_close(walk->session);
	return response;
}

/*-------------------------------------------------------------------------
 *
 * s3_store.c
 *		Objects of S3, and of what speaks as S3 does, as the documents of a response.
 *
 * Each request asks for the version that was listed (If-Match), so what is replaced between
 * the list and the last byte is an error and no mixture.  A list that changes between its
 * pages may lack an object; then the next list differs, and the next refresh has it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/store/s3_store.h"

#include "utils/memutils.h"

#include "source/http/http_range.h"
#include "percent.h"
#include "source/store/listing.h"
#include "source/store/s3_credentials.h"
#include "source/store/s3_list.h"

#define DEFAULT_REGION	"us-east-1"
#define AWS_HOST		"amazonaws.com"
#define MAX_OBJECTS		1000000
#define EMPTY_SHA256	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct S3Place
{
	const Dataset *dataset;
	const char *bucket;
	const char *prefix;			/* or an object's key */
	const char *base;			/* URL of the bucket, which ends in / */
	HttpSession *session;
	HttpRequest request;		/* of any object, but for url and if_match */
	MemoryContext context;
	List	   *objects;		/* of S3Object * */
};

typedef struct S3Object
{
	SpoolPart	part;
	S3Place    *place;
	const char *key;
	const char *etag;
	Spool	   *fetched;		/* has its bytes among those of others; NULL: they are where they
								 * were */
	int64		offset;
} S3Object;

/* path: a slash needs no escape */
static char *
escape(const char *text, bool path)
{
	char	   *escaped = palloc(strlen(text) * PERCENT_LENGTH + 1);
	char	   *out = escaped;

	for (; *text != '\0'; text++)
	{
		if (path && *text == '/')
			*out++ = '/';
		else
			out += percent_encode(*text, out);
	}
	*out = '\0';
	return escaped;
}

/* ------- the place ------- */

static const char *
place_param(const Dataset *dataset, Resolver *resolver, const char *name, const char *variable)
{
	const char *value = resolve_value(resolver, name, catalog_param(dataset, name));

	if (value == NULL && variable != NULL)
		value = getenv(variable);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A certificate for *.s3.amazonaws.com is not good for a bucket with a point. */
static bool
puts_bucket_into_host(const S3Place *place, const char *endpoint)
{
	const char *style = catalog_param(place->dataset, "s3_url_style");

	if (style != NULL)
		return strcmp(style, "vhost") == 0;
	return endpoint == NULL && strchr(place->bucket, '.') == NULL;
}

static bool
allows_http(const Dataset *dataset)
{
	const char *allow = catalog_param(dataset, "allow_http");

	return allow != NULL && strcmp(allow, "true") == 0;
}

/* Unless a region is named, AWS's own name service leads to the bucket's, if no signature needs it. */
static const char *
bucket_url(const S3Place *place, const char *endpoint, const char *region)
{
	bool		vhost = puts_bucket_into_host(place, endpoint);
	const char *host = endpoint;
	const char *scheme = "https://";

	if (endpoint == NULL)
		host = region == NULL ? "s3." AWS_HOST : psprintf("s3.%s." AWS_HOST, region);
	else if (strstr(endpoint, "://") != NULL)
	{
		scheme = pnstrdup(endpoint, strstr(endpoint, "://") + 3 - endpoint);
		host = pnstrdup(endpoint + strlen(scheme), strcspn(endpoint + strlen(scheme), "/"));
	}
	if (strcmp(scheme, "http://") == 0 && !allows_http(place->dataset))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("s3_endpoint of dataset \"%s\" is not encrypted", place->dataset->name),
				 errhint("Write an endpoint with https://, or allow_http: true under params.")));
	return vhost ? psprintf("%s%s.%s/", scheme, place->bucket, host) :
		psprintf("%s%s/%s/", scheme, host, place->bucket);
}

static void
add_credentials(S3Place *place, Resolver *resolver, const char *region)
{
	S3Credentials credentials = s3_credentials_find(place->dataset, resolver);
	HttpRequest *request = &place->request;

	if (credentials.key == NULL)
		return;
	request->username = credentials.key;
	request->password = credentials.secret;
	request->signature = psprintf("aws:amz:%s:s3", region != NULL ? region : DEFAULT_REGION);
	request->headers = palloc0(2 * sizeof(HttpHeader));
	request->headers[0].name = "x-amz-content-sha256";
	request->headers[0].value = EMPTY_SHA256;
	request->n_headers = 1;
	if (credentials.token == NULL)
		return;
	request->headers[1].name = "x-amz-security-token";
	request->headers[1].value = (char *) credentials.token;
	request->n_headers = 2;
}

S3Place *
s3_store_open(const Dataset *dataset, HttpReport *report, MemoryContext context)
{
	MemoryContext old;
	MemoryContext own = AllocSetContextCreate(context, "spice s3", ALLOCSET_DEFAULT_SIZES);
	S3Place    *place = MemoryContextAllocZero(own, sizeof(S3Place));
	const char *name = dataset->from + strlen("s3://");
	const char *endpoint;
	const char *region;
	Resolver   *resolver;

	place->dataset = dataset;
	place->context = own;
	resolver = resolver_open(dataset, own);
	old = MemoryContextSwitchTo(own);
	place->bucket = pnstrdup(name, strcspn(name, "/"));
	name += strlen(place->bucket);
	place->prefix = *name == '/' ? name + 1 : name;
	endpoint = place_param(dataset, resolver, "s3_endpoint", "AWS_ENDPOINT_URL_S3");
	region = place_param(dataset, resolver, "s3_region", "AWS_REGION");
	place->request.dataset = dataset->name;
	place->request.store = true;
	place->request.client_timeout_ms = dataset->client_timeout_ms;
	place->request.connect_timeout_ms = dataset->connect_timeout_ms;
	add_credentials(place, resolver, region);
	if (region == NULL && place->request.signature != NULL)
		region = DEFAULT_REGION;
	place->base = bucket_url(place, endpoint, region);
	place->session = http_session_open(report, own);
	MemoryContextSwitchTo(old);
	return place;
}

/* ------- the list ------- */

/* for the version that was listed */
static HttpRequest
object_request(const S3Object *object)
{
	HttpRequest request = object->place->request;

	request.url = psprintf("%s%s", object->place->base, escape(object->key, true));
	request.if_match = object->etag;
	return request;
}

static Spool *
open_object(const SpoolPart *part, MemoryContext context)
{
	const S3Object *object = (const S3Object *) part;
	MemoryContext old;
	HttpRequest request;
	Spool	   *spool;

	if (object->fetched != NULL)
		return spool_slice(context, object->fetched, object->offset, part->size);
	old = MemoryContextSwitchTo(context);
	request = object_request(object);
	MemoryContextSwitchTo(old);
	if (!dataset_is_parquet(object->place->dataset))
	{
		spool = spool_create_response(context);
		(void) http_session_get(object->place->session, &request, spool);
		spool_finish(spool);
		return spool;
	}
	return http_range_spool(object->place->session, &request, part->size, context);
}

/* a segment of . or .. would be taken for a path and resolved on the way */
static void
refuse_dots(const S3Place *place, const char *key)
{
	for (const char *segment = key; *segment != '\0'; segment += strcspn(segment, "/"), segment += *segment == '/')
	{
		size_t		length = strcspn(segment, "/");

		if ((length == 1 && segment[0] == '.') || (length == 2 && memcmp(segment, "..", 2) == 0))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("dataset \"%s\" cannot read object \"%s\"", place->dataset->name, key),
					 errdetail("A part of its key is \".\" or \"..\", which does not survive in a URL."),
					 errhint("Rename the object, or name a prefix without it.")));
	}
}

/* Is the key below the prefix, seen as a folder? */
static bool
is_below(const char *prefix, const char *key)
{
	size_t		length = strlen(prefix);

	return strncmp(key, prefix, length) == 0 &&
		(length == 0 || prefix[length - 1] == '/' || key[length] == '/' || key[length] == '\0');
}

static bool
is_wanted(const S3Place *place, const char *key)
{
	const char *rest = key + strlen(place->prefix);

	if (!is_below(place->prefix, key))
		return false;
	if (*rest == '\0')
		return key[strlen(key) - 1] != '/';
	for (rest += *rest == '/'; *rest != '\0'; rest += *rest == '/')
	{
		if (listing_is_hidden(rest))
			return false;
		rest += strcspn(rest, "/");
	}
	return listing_has_extension(place->dataset, key);
}

static void
add_object(S3Place *place, const S3Entry *entry)
{
	S3Object   *object;

	if (!is_wanted(place, entry->key))
		return;
	refuse_dots(place, entry->key);
	if (list_length(place->objects) == MAX_OBJECTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("dataset \"%s\" has more than %d objects", place->dataset->name, MAX_OBJECTS)));
	object = palloc0(sizeof(S3Object));
	object->part.location = psprintf("s3://%s/%s", place->bucket, entry->key);
	object->part.size = entry->size;
	object->part.last_modified = entry->modified;
	object->part.open = open_object;
	object->place = place;
	object->key = pstrdup(entry->key);
	object->etag = pstrdup(entry->etag);
	place->objects = lappend(place->objects, object);
}

static void
free_list(void *arg)
{
	s3_list_free(arg);
}

/* where a list goes on; both NULL: it does not */
typedef struct S3Continuation
{
	char	   *token;
	char	   *after;			/* a key, instead of the token */
} S3Continuation;

/*
 * Some versions of libcurl sign a plus sign in a query as if it were a blank.  The token is
 * S3's choice and may have one; then the list goes on behind the last key.
 */
static S3Continuation
continue_list(const char *token, const char *last_key)
{
	S3Continuation next = {0};

	if (token == NULL)
		return next;
	if (strchr(token, '+') != NULL && last_key[0] != '\0' && strchr(last_key, '+') == NULL)
		next.after = pstrdup(last_key);
	else
		next.token = pstrdup(token);
	return next;
}

/* Adds the objects of one page; says where the next begins. */
static S3Continuation
read_page(S3Place *place, Spool *page, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	Size		size = (Size) spool_size(page);
	char	   *text = MemoryContextAlloc(context, size + 1);
	SpoolCursor cursor;
	S3ListStatus status;
	S3List	   *list;
	S3Entry		entry = {0};

	spool_rewind(page, &cursor);
	if (!spool_read_fully(&cursor, text, size))
		elog(ERROR, "list of objects is shorter than it was");
	list = s3_list_create(text, size);
	if (list == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	callback->func = free_list;
	callback->arg = list;
	MemoryContextRegisterResetCallback(context, callback);
	while ((status = s3_list_next(list, &entry)) == S3_LIST_ENTRY)
		add_object(place, &entry);
	if (status == S3_LIST_FAILED)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
				 errmsg("could not list the objects of dataset \"%s\": the answer is no list", place->dataset->name),
				 errhint("Check s3_endpoint: it has to speak as S3 does (ListObjectsV2).")));
	return continue_list(s3_list_continuation(list), entry.key);
}

/* An object that the dataset names itself is the only one. */
static void
prefer_named(S3Place *place)
{
	ListCell   *cell;

	foreach(cell, place->objects)
	{
		S3Object   *object = lfirst(cell);

		if (strcmp(object->key, place->prefix) != 0)
			continue;
		place->objects = list_make1(object);
		return;
	}
}

List *
s3_store_list(S3Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);
	MemoryContext page_context = AllocSetContextCreate(place->context, "spice list", ALLOCSET_DEFAULT_SIZES);
	HttpRequest request = place->request;
	S3Continuation next = {0};

	do
	{
		Spool	   *page = spool_create_response(page_context);

		/* in the order of their names, as the signature wants it */
		request.url = psprintf("%s?%sencoding-type=url&list-type=2&prefix=%s%s", place->base,
							   next.token == NULL ? "" :
							   psprintf("continuation-token=%s&", escape(next.token, false)),
							   escape(place->prefix, false),
							   next.after == NULL ? "" : psprintf("&start-after=%s", escape(next.after, false)));
		(void) http_session_get(place->session, &request, page);
		spool_finish(page);
		next = read_page(place, page, page_context);
		MemoryContextReset(page_context);
	} while (next.token != NULL || next.after != NULL);
	MemoryContextDelete(page_context);
	prefer_named(place);
	if (place->objects == NIL)
		listing_refuse_empty(place->dataset, place->dataset->from);
	listing_sort(place->objects);
	listing_add_values(place->dataset, place->objects, psprintf("s3://%s/%s", place->bucket, place->prefix));
	MemoryContextSwitchTo(old);
	return place->objects;
}

static const char *
object_version(const SpoolPart *part)
{
	return ((const S3Object *) part)->etag;
}

void
s3_store_digest(const S3Place *place, List *parts, uint8 *digest)
{
	listing_digest(psprintf("%s %s", place->base, place->request.username != NULL ? place->request.username : ""), parts,
				   object_version, digest);
}

void
s3_store_fetch(S3Place *place, List *parts)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);
	Spool	   *spool = spool_create_response(place->context);
	ListCell   *cell;

	foreach(cell, parts)
	{
		S3Object   *object = lfirst(cell);
		HttpRequest request = object_request(object);

		object->fetched = spool;
		object->offset = spool_size(spool);
		(void) http_session_get(place->session, &request, spool);
		/* what was stored with a Content-Encoding has been undone */
		object->part.size = spool_size(spool) - object->offset;
		pfree(unconstify(char *, request.url));
	}
	spool_finish(spool);
	MemoryContextSwitchTo(old);
}

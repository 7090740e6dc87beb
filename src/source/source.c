/*-------------------------------------------------------------------------
 *
 * source.c
 *		From a dataset's definition to a fetched response.
 *
 * Secrets are resolved here, at the last moment, into memory that is wiped as
 * soon as the request is over, and go nowhere but into the request.
 *
 * HTTP is the one connector whose rows are fetched beforehand.  The others'
 * wrappers reach their sources by themselves, when the refresh query runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "source/connector.h"
#include "source/resolve.h"
#include "source/scan/typing.h"
#include "source/source.h"
#include "spice.h"

/* the spool that this process's foreign scans read, and whose it is */
static struct
{
	const Dataset *dataset;
	Spool	   *spool;
	bool		reader_allowed; /* another process may read it */
} offered;

SourceReport source_report;

/* runs when the request is over, also by an error */
static void
wipe_headers(void *arg)
{
	HttpRequest *request = arg;

	for (int i = 0; i < request->n_headers; i++)
		explicit_bzero(request->headers[i].value, strlen(request->headers[i].value));
}

HttpResponse *
source_fetch(const Dataset *dataset, const char *query, bool conditional,
			 HttpReport *report, MemoryContext context)
{
	MemoryContext request_context;
	Resolver   *resolver;
	char	   *headers;
	HttpRequest *request;
	MemoryContextCallback *callback;
	HttpResponse *response;

	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("spice needs a database with encoding UTF8"),
				 errdetail("This one has %s.", GetDatabaseEncodingName()),
				 errhint("Set spice.database to a database made with ENCODING 'UTF8'.")));

	request_context = AllocSetContextCreate(context, "spice request", ALLOCSET_SMALL_SIZES);
	resolver = resolver_open(dataset, request_context);
	request = MemoryContextAllocZero(request_context, sizeof(HttpRequest));
	callback = MemoryContextAlloc(request_context, sizeof(MemoryContextCallback));
	callback->func = wipe_headers;
	callback->arg = request;
	MemoryContextRegisterResetCallback(request_context, callback);

	request->dataset = dataset->name;
	request->url = query == NULL ? dataset->from :
		psprintf("%s%c%s", dataset->from, strchr(dataset->from, '?') ? '&' : '?', query);
	request->port = dataset->http_port;
	request->username = resolve(resolver, "http_username", dataset->username);
	request->password = resolve(resolver, "http_password", dataset->password);
	headers = resolve(resolver, "http_headers", dataset->http_headers);
	request->client_timeout_ms = dataset->client_timeout_ms;
	request->connect_timeout_ms = dataset->connect_timeout_ms;
	if (headers != NULL)
		http_parse_headers(headers, request, request_context);
	if (conditional)
	{
		request->etag = dataset->etag;
		request->last_modified = dataset->last_modified;
	}
	response = http_fetch(request, report, context);
	MemoryContextDelete(request_context);
	return response;
}

static void
withdraw_callback(void *arg)
{
	/* a newer offer may have taken its place */
	if (offered.spool == arg)
		source_withdraw();
}

void
source_offer(const Dataset *dataset, Spool *spool, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	callback->func = withdraw_callback;
	callback->arg = spool;
	MemoryContextRegisterResetCallback(context, callback);
	offered.dataset = dataset;
	offered.spool = spool;
}

void
source_withdraw(void)
{
	memset(&offered, 0, sizeof(offered));
}

Spool *
source_offered(int dataset)
{
	return offered.dataset != NULL && offered.dataset->id == dataset ? offered.spool : NULL;
}

const Dataset *
source_offered_for(Oid foreign_table)
{
	return offered.dataset != NULL && offered.dataset->source_relation == foreign_table ?
		offered.dataset : NULL;
}

void
source_allow_reader(bool allowed)
{
	offered.reader_allowed = allowed;
}

bool
source_reader_allowed(void)
{
	return offered.reader_allowed;
}

/* ------- http as a connector ------- */

static List *
find_in_response(const Dataset *dataset, Spool *spool, SourceRelation *relation)
{
	List	   *columns = NIL;
	List	   *inferred = NIL;
	ListCell   *cell;

	if (spool != NULL)
		inferred = infer_columns(spool, dataset, &relation->records);
	foreach(cell, inferred)
	{
		InferredColumn *found = lfirst(cell);
		SourceColumn *column = palloc0(sizeof(SourceColumn));

		column->name = found->name;
		column->type = found->type;
		column->typmod = -1;
		columns = lappend(columns, column);
	}
	return columns;
}

static const char *
http_server(const Dataset *dataset pg_attribute_unused())
{
	return SPICE_SERVER;
}

static List *
http_options(const Dataset *dataset)
{
	return list_make1(connector_option("dataset", dataset->name));
}

const Connector http_connector = {
	.name = "http",
	.fetches = true,
	.server = http_server,
	.options = http_options,
	.find = find_in_response,
};

/*-------------------------------------------------------------------------
 *
 * source.c
 *		From a dataset's definition to a fetched response.
 *
 * Secrets are resolved here, at the last moment, into memory that is wiped as
 * soon as the request is over, and go nowhere but into the request.
 *
 * A response over HTTP and a list of files are fetched beforehand.  The wrappers of
 * databases reach their sources by themselves, when the refresh query runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "catalog/dataset_row.h"
#include "catalog/execute.h"
#include "catalog/rights.h"
#include "settings.h"
#include "source/connector.h"
#include "source/foreign_server.h"
#include "source/http/http_range.h"
#include "source/http/pages.h"
#include "source/local_type.h"
#include "source/passfile.h"
#include "source/resolve.h"
#include "source/scan/records.h"
#include "source/source.h"
#include "source/source_request.h"

#define DEFAULT_MAX_PAGES	100

/* NULL: the source answers with one page */
static PageRules *
page_rules(const Dataset *dataset, char *template)
{
	PageRules  *rules = palloc0(sizeof(PageRules));
	const char *max_pages = dataset->pagination_max_pages;
	RecordFormat format;

	records_format(dataset, &format);
	if (format.parquet || (dataset->pagination != NULL && strcmp(dataset->pagination, "disabled") == 0))
		return NULL;
	rules->link_header = dataset->pagination_link_header == NULL ||
		strcmp(dataset->pagination_link_header, "enabled") == 0;
	rules->next_pointer = dataset->pagination_next_pointer;
	rules->token_param = dataset->pagination_token_param;
	rules->template = template;
	rules->page_size = dataset->pagination_page_size != NULL ? atoi(dataset->pagination_page_size) : 0;
	/* nolimit is no number */
	rules->max_pages = max_pages != NULL ? atoi(max_pages) : DEFAULT_MAX_PAGES;
	rules->json = !format.csv;
	rules->format = format.json;
	rules->records = format.pointer;
	return rules;
}

/* What came of the last refresh, and so need not come again; validators are those of a GET. */
static void
add_validators(const Dataset *dataset, HttpRequest *request)
{
	if (request->post || dataset->request == NULL || VARSIZE_ANY_EXHDR(dataset->request) != HTTP_IDENTITY_LENGTH)
		return;
	request->validated = (const uint8 *) VARDATA_ANY(dataset->request);
	request->etag = dataset->etag;
	request->last_modified = dataset->last_modified;
}

HttpResponse *
source_fetch(const Dataset *dataset, const char *query, const char *watermark, bool conditional,
			 HttpReport *report, MemoryContext context)
{
	MemoryContext request_context;
	MemoryContext saved;
	Resolver   *resolver;
	HttpRequest *request;
	HttpResponse *response;
	bool		ranged;

	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("spice needs a database with encoding UTF8"),
				 errdetail("This one has %s.", GetDatabaseEncodingName()),
				 errhint("Set spice.database to a database made with ENCODING 'UTF8'.")));

	if (connector_of(dataset)->fetch != NULL)
		return connector_of(dataset)->fetch(dataset, conditional, report, context);
	request_context = AllocSetContextCreate(context, "spice request", ALLOCSET_SMALL_SIZES);
	resolver = resolver_open(dataset, request_context);
	saved = MemoryContextSwitchTo(request_context);
	request = source_request_make(dataset, query, watermark, resolver);
	request->may_be_nothing = watermark != NULL ||
		(dataset->json_empty != NULL && strcmp(dataset->json_empty, "no_rows") == 0);
	if (conditional)
		add_validators(dataset, request);
	/* the parts of a Parquet file are asked for when they are read */
	ranged = dataset_is_parquet(dataset) && !request->post;
	if (ranged)
		response = http_range_fetch(request, report, context);
	else
		response = pages_fetch(request, page_rules(dataset, source_request_template(dataset, watermark, resolver)),
							   report, context);
	MemoryContextSwitchTo(saved);
	if (!ranged)
		MemoryContextDelete(request_context);
	return response;
}

bool
source_fetches(const Dataset *dataset)
{
	return connector_of(dataset)->fetches;
}

void
source_forget(const Dataset *dataset)
{
	foreign_server_drop(dataset);
	local_type_drop_all(dataset);
	passfile_remove(dataset->id);
}

void
source_leave(const char *dataset)
{
	Dataset    *left = catalog_dataset_by_name(dataset, false);

	if (left != NULL)
		passfile_remove(left->id);
}

/* in a transaction when there is an extension, whose datasets are asked for */
void
source_sweep(bool extension)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *datasets = NIL;
	CatalogRights rights;

	if (extension)
	{
		catalog_enter(&rights);
		SPI_connect();
		catalog_execute("SELECT d.id FROM spice_catalog.dataset d WHERE d.in_manifest", 0, NULL, NULL, NULL);
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			char	   *id = catalog_text(row, 1, context);
			MemoryContext old = MemoryContextSwitchTo(context);

			datasets = lappend_int(datasets, atoi(id));
			MemoryContextSwitchTo(old);
		}
		SPI_finish();
		catalog_leave(&rights);
	}
	passfile_sweep(datasets);
}

void
source_check(const Dataset *dataset)
{
	const Connector *connector = connector_of(dataset);

	if (connector->check != NULL)
		connector->check(dataset);
}

/* has the source's server raised it? */
static bool
is_from_source(const Dataset *dataset, const ErrorData *error)
{
	if (source_fetches(dataset))
		return false;
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_CONNECTION_EXCEPTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_FDW_ERROR ||
		(error->context != NULL && strstr(error->context, "remote SQL command") != NULL);
}

const char *
source_cure(const Dataset *dataset, const ErrorData *error)
{
	const Connector *connector = connector_of(dataset);

	if (connector->cure == NULL || !is_from_source(dataset, error))
		return NULL;
	return connector->cure(error);
}

bool
source_error_is_transient(const Dataset *dataset, const ErrorData *error)
{
	if (!is_from_source(dataset, error))
		return false;
	switch (error->sqlerrcode)
	{
		case ERRCODE_ADMIN_SHUTDOWN:
		case ERRCODE_CRASH_SHUTDOWN:
		case ERRCODE_CANNOT_CONNECT_NOW:
		case ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT:
		case ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION:
			return true;
		default:
			return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_CONNECTION_EXCEPTION;
	}
}

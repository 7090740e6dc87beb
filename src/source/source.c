/*-------------------------------------------------------------------------
 *
 * source.c
 *		From a dataset's definition to a fetched response.
 *
 * Secrets are resolved here, at the last moment, into memory that is wiped as
 * soon as the request is over, and go nowhere but into the request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "manifest/secrets.h"
#include "source/source.h"
#include "spice.h"

typedef struct ResolvedSecrets
{
	SecretStores *stores;
	char	   *username;
	char	   *password;
	char	   *headers;
} ResolvedSecrets;

/* the spool that this process's foreign scans read */
static struct
{
	int			dataset;
	Spool	   *spool;
	bool		reader_allowed;	/* another process may read it */
} offered;

SourceReport source_report;

static void
wipe_secrets(void *arg)
{
	ResolvedSecrets *secrets = arg;

	secret_free(secrets->username);
	secret_free(secrets->password);
	secret_free(secrets->headers);
	secret_stores_close(secrets->stores);
}

static void
raise_secret_error(const Dataset *dataset, const char *param, char *error, MemoryContext context)
{
	char	   *reason = MemoryContextStrdup(context, error != NULL ? error : "out of memory");

	free(error);
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("cannot resolve %s of dataset \"%s\": %s", param, dataset->name, reason),
			 errhint("Set the secret in the server's environment, in an .env file beside the manifest, or in a folder named under secrets.")));
}

static char *
resolve(ResolvedSecrets *secrets, const Dataset *dataset, const char *param,
		const char *value, MemoryContext context)
{
	char	   *error = NULL;
	char	   *result;

	if (value == NULL)
		return NULL;
	result = secret_expand(secrets->stores, value, &error);
	if (result == NULL)
		raise_secret_error(dataset, param, error, context);
	return result;
}

/* deleting context wipes them */
static ResolvedSecrets *
resolve_secrets(const Dataset *dataset, MemoryContext context)
{
	ResolvedSecrets *secrets = MemoryContextAllocZero(context, sizeof(ResolvedSecrets));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	char	   *base = MemoryContextStrdup(context, dataset->manifest_path ? dataset->manifest_path : ".");
	char	   *error = NULL;

	get_parent_directory(base);
	callback->func = wipe_secrets;
	callback->arg = secrets;
	MemoryContextRegisterResetCallback(context, callback);

	secrets->stores = secret_stores_open(dataset->secrets, base, &error);
	if (secrets->stores == NULL)
		raise_secret_error(dataset, "secrets", error, context);
	secrets->username = resolve(secrets, dataset, "http_username", dataset->username, context);
	secrets->password = resolve(secrets, dataset, "http_password", dataset->password, context);
	secrets->headers = resolve(secrets, dataset, "http_headers", dataset->http_headers, context);
	return secrets;
}

HttpResponse *
source_fetch(const Dataset *dataset, const char *query, bool conditional,
			 MemoryContext context)
{
	MemoryContext request_context;
	ResolvedSecrets *secrets;
	HttpRequest request = {0};
	HttpResponse *response;

	memset(&http_report, 0, sizeof(http_report));
	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("spice needs a database with encoding UTF8"),
				 errdetail("This one has %s.", GetDatabaseEncodingName()),
				 errhint("Set spice.database to a database made with ENCODING 'UTF8'.")));

	request_context = AllocSetContextCreate(context, "spice request", ALLOCSET_SMALL_SIZES);
	secrets = resolve_secrets(dataset, request_context);

	request.dataset = dataset->name;
	request.url = query == NULL ? dataset->from :
		psprintf("%s%c%s", dataset->from, strchr(dataset->from, '?') ? '&' : '?', query);
	request.port = dataset->http_port;
	request.username = secrets->username;
	request.password = secrets->password;
	request.client_timeout_ms = dataset->client_timeout_ms;
	request.connect_timeout_ms = dataset->connect_timeout_ms;
	if (secrets->headers != NULL)
		request.n_headers = http_parse_headers(secrets->headers, &request.headers, request_context);
	if (conditional)
	{
		request.etag = dataset->etag;
		request.last_modified = dataset->last_modified;
	}
	response = http_fetch(&request, context);

	for (int i = 0; i < request.n_headers; i++)
		explicit_bzero(request.headers[i].value, strlen(request.headers[i].value));
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
source_offer(int dataset, Spool *spool, MemoryContext context)
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
	return offered.dataset == dataset ? offered.spool : NULL;
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

/* for the time of an ANALYZE */
static struct
{
	Oid			foreign_table;
	SourceSample sample;
} sampled;

void
source_analyze(const Dataset *dataset, HeapTuple *rows, int n_rows, double total)
{
	sampled.foreign_table = dataset->source_relation;
	sampled.sample.rows = rows;
	sampled.sample.n_rows = n_rows;
	sampled.sample.total = total;
	PG_TRY();
	{
		catalog_run(psprintf("ANALYZE %s", catalog_relation_name(dataset->source_relation)));
	}
	PG_FINALLY();
	{
		sampled.foreign_table = InvalidOid;
	}
	PG_END_TRY();
	CommandCounterIncrement();
}

const SourceSample *
source_sample(Oid foreign_table)
{
	return OidIsValid(foreign_table) && sampled.foreign_table == foreign_table ? &sampled.sample : NULL;
}

/*-------------------------------------------------------------------------
 *
 * file_connector.c
 *		Connector file: a file of this machine, or all of a folder.
 *
 * A refresh lists the files before its transaction, and its query reads them in place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "portability/instr_time.h"

#include "source/connector.h"
#include "source/scan/infer.h"
#include "source/store/file_store.h"
#include "source/store/listing.h"

static HttpResponse *
list_files(const Dataset *dataset, bool conditional, HttpReport *report, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	HttpResponse *response = palloc0(sizeof(HttpResponse));
	uint8		digest[SPOOL_DIGEST_LENGTH];
	List	   *files;
	instr_time	start;
	instr_time	end;

	memset(report, 0, sizeof(*report));
	INSTR_TIME_SET_CURRENT(start);
	files = file_store_list(dataset);
	listing_digest("", files, NULL, digest);
	if (!conditional || !listing_is_loaded(dataset, digest))
	{
		response->spool = spool_of_parts(context, files, digest);
		report->bytes = spool_size(response->spool);
	}
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	report->fetch_ms = INSTR_TIME_GET_MILLISEC(end);
	MemoryContextSwitchTo(old);
	return response;
}

const Connector file_connector = {
	.name = "file",
	.fetches = true,
	.fetch = list_files,
	.find = infer_columns,
};

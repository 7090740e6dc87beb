/*-------------------------------------------------------------------------
 *
 * s3_connector.c
 *		Connector s3: an object of a bucket, or all below a prefix.
 *
 * A refresh lists the objects before its transaction.  Then it fetches those that have to be
 * read from start to end, unless conditions on their places may exclude some; of Parquet files
 * its query fetches the columns that it reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/connector.h"
#include "source/scan/infer.h"
#include "source/store/listing.h"
#include "source/store/s3_store.h"

static HttpResponse *
list_objects(const Dataset *dataset, bool conditional, HttpReport *report, MemoryContext context)
{
	HttpResponse *response = MemoryContextAllocZero(context, sizeof(HttpResponse));
	S3Place    *place = s3_store_open(dataset, report, context);
	List	   *objects = s3_store_list(place);
	uint8		digest[SPOOL_DIGEST_LENGTH];

	s3_store_digest(place, objects, digest);
	if (conditional && listing_is_loaded(dataset, digest))
		return response;
	if (!dataset_is_parquet(dataset) && !listing_has_values(dataset))
		s3_store_fetch(place, objects);
	response->spool = spool_of_parts(context, objects, digest);
	return response;
}

const Connector s3_connector = {
	.name = "s3",
	.fetches = true,
	.fetch = list_objects,
	.find = infer_columns,
};

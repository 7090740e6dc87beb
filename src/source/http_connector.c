/*-------------------------------------------------------------------------
 *
 * http_connector.c
 *		Connector http: a response that the refresh fetches beforehand.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/connector.h"
#include "source/foreign_option.h"
#include "source/scan/infer.h"

static const char *
http_server(const Dataset *dataset pg_attribute_unused())
{
	return SPICE_SERVER;
}

static List *
http_options(const Dataset *dataset)
{
	return list_make1(foreign_option_make("dataset", dataset->name));
}

const Connector http_connector = {
	.name = "http",
	.fetches = true,
	.server = http_server,
	.options = http_options,
	.find = infer_columns,
};

/*-------------------------------------------------------------------------
 *
 * http_connector.c
 *		Connector http: a response that the refresh fetches beforehand.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/connector.h"
#include "source/scan/infer.h"

const Connector http_connector = {
	.name = "http",
	.fetches = true,
	.find = infer_columns,
};

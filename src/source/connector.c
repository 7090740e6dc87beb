/*-------------------------------------------------------------------------
 *
 * connector.c
 *		The kinds of sources.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/connector.h"

static const Connector *const connectors[] = {
	&http_connector, &file_connector, &s3_connector, &postgres_connector, &mysql_connector, &table_connector
};

const Connector *
connector_of(const Dataset *dataset)
{
	for (size_t i = 0; i < lengthof(connectors); i++)
	{
		if (strcmp(connectors[i]->name, dataset->connector) == 0)
			return connectors[i];
	}
	elog(ERROR, "unknown connector \"%s\"", dataset->connector);
}

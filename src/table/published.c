/*-------------------------------------------------------------------------
 *
 * published.c
 *		What publications say of a table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_publication.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "table/published.h"

bool
published_table(Oid table)
{
	Relation	relation = table_open(table, AccessShareLock);
	PublicationDesc publications;

	RelationBuildPublicationDesc(relation, &publications);
	table_close(relation, AccessShareLock);
	return publications.pubactions.pubinsert || publications.pubactions.pubupdate ||
		publications.pubactions.pubdelete || publications.pubactions.pubtruncate;
}

/* could subscribers tell which row has changed or left? */
bool
published_has_identity(Relation table)
{
	PublicationDesc publications;

	RelationBuildPublicationDesc(table, &publications);
	return !(publications.pubactions.pubupdate || publications.pubactions.pubdelete) ||
		table->rd_rel->relreplident == REPLICA_IDENTITY_FULL ||
		OidIsValid(RelationGetReplicaIndex(table));
}

bool
published_lacks_identity(Oid table)
{
	Relation	relation = table_open(table, AccessShareLock);
	bool		lacks = !published_has_identity(relation);

	table_close(relation, AccessShareLock);
	return lacks;
}

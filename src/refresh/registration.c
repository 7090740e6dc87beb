/*-------------------------------------------------------------------------
 *
 * registration.c
 *		A table that answers before its first load (ready_state on_registration).
 *
 * A worker does this in the transaction that comes before the fetch, so that
 * the table is there and reads the source for as long as the fetch takes, and
 * for as long as it fails.  It takes columns that are known without a response.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/lsyscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "refresh/query.h"
#include "refresh/registration.h"
#include "refresh/state.h"
#include "source/foreign_table.h"
#include "source/source.h"
#include "table/make.h"
#include "table/standin.h"

static bool
is_wanted(const Dataset *dataset)
{
	return dataset_answers_early(dataset) && dataset->accelerated && !dataset->loaded &&
		dataset->refresh_sql == NULL && source_fetches(dataset) && !OidIsValid(dataset->relation) &&
		source_columns_declared(dataset);
}

/* the definition changed before anything was loaded: begin anew */
static void
drop_stand_in(Dataset *dataset)
{
	catalog_run(psprintf("DROP FOREIGN TABLE %s", catalog_relation_name(dataset->source_relation)));
	catalog_run(psprintf("DROP TABLE %s", catalog_relation_name(dataset->relation)));
	CommandCounterIncrement();
	dataset->relation = InvalidOid;
	dataset->source_relation = InvalidOid;
}

/*
 * The table has no NOT NULL and no index yet: the source knows of neither.  The
 * first load brings them, since the catalog does not say that they are there.
 */
static Oid
create_bare_table(const Dataset *dataset)
{
	Dataset		bare = *dataset;

	bare.columns = NIL;
	bare.indexes = NIL;
	bare.refresh_mode = "full";
	return table_create(&bare, query_plan(dataset, NULL, NULL)->result, catalog_table_owner());
}

void
registration_create_table(const Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;
	CatalogRights rights;

	catalog_enter(&rights);
	if (dataset->source_changed && standin_exists(dataset))
		drop_stand_in(dataset);
	if (is_wanted(dataset) && source_prepare(dataset, NULL, catalog_table_owner()))
	{
		CommandCounterIncrement();
		dataset->relation = create_bare_table(dataset);
		standin_begin(dataset);
		table_comment(dataset, dataset->relation);
		state_registered(refresh);
		dataset->source_changed = false;
	}
	catalog_leave(&rights);
}

/*-------------------------------------------------------------------------
 *
 * registration.c
 *		A table that answers before its first load (ready_state on_registration).
 *
 * A worker creates the table before the fetch, so that the table reads the source
 * until the first load, also while fetches fail.  The columns must be declared.
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
must_create_table(const Dataset *dataset)
{
	return dataset_answers_early(dataset) && dataset->accelerated && !dataset->loaded &&
		dataset->refresh_sql == NULL && source_fetches(dataset) && !OidIsValid(dataset->relation) &&
		source_columns_declared(dataset);
}

/* The definition has changed before the first load. */
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
 * The source may not fulfil NOT NULL and unique indexes, so the table has none.
 * The first load adds them.
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
	if (must_create_table(dataset) && source_prepare(dataset, NULL, catalog_table_owner()))
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

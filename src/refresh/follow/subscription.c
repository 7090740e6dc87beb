/*-------------------------------------------------------------------------
 *
 * subscription.c
 *		The server's own subscription to a source's changes, of one dataset.
 *
 * CREATE SUBSCRIPTION would create the slot and copy the table, whose readers
 * would see it empty until the copy is there.  Spice does both itself: it creates
 * the subscription without a connection, enters its table as one that has been
 * copied, and does so in the transaction that swaps the copy in.  Neither
 * creating nor dropping a subscription touches the slot, because a rollback could
 * not undo that on the source.
 *
 * The bootstrap superuser owns the subscription.  All versions accept a password
 * that is not in the catalog from no other role.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_subscription.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/pg_lsn.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/pinned.h"
#include "catalog/rights.h"
#include "compat.h"
#include "refresh/follow/subscription.h"

char *
subscription_name(const Dataset *dataset)
{
	const char *given = catalog_param(dataset, "pg_replication_slot");

	return given ? pstrdup(given) :
		psprintf("spice_" UINT64_FORMAT "_%u_%d", GetSystemIdentifier(), MyDatabaseId, dataset->id);
}

static void
enter_as_superuser(CatalogRights *rights)
{
	catalog_enter(rights);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, rights->security | SECURITY_LOCAL_USERID_CHANGE);
	/* CREATE SUBSCRIPTION warns that nothing is replicated, which is intended */
	catalog_pin_setting("client_min_messages", "error");
	(void) set_config_option("log_min_messages", "error", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}

static void
execute_as_superuser(const char *command)
{
	CatalogRights rights;

	enter_as_superuser(&rights);
	catalog_run(command);
	catalog_leave(&rights);
	CommandCounterIncrement();
}

static const char *
quoted_name(Oid subscription)
{
	return quote_identifier(get_subscription_name(subscription, false));
}

Oid
subscription_create(const char *name, const char *publication, const char *conninfo, Oid table)
{
	Oid			subscription;

	if (OidIsValid(get_subscription_oid(name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("subscription \"%s\" already exists and is not spice's", name),
				 errhint("ALTER SUBSCRIPTION ... DISABLE, SET (slot_name = NONE), and DROP SUBSCRIPTION; or name another pg_replication_slot.")));
	execute_as_superuser(psprintf("CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION %s"
								  " WITH (connect = false, slot_name = %s, streaming = on)", quote_identifier(name),
								  quote_literal_cstr(conninfo), quote_identifier(publication), quote_literal_cstr(name)));
	subscription = get_subscription_oid(name, false);
	compat_add_subscription_table(subscription, table);
	CommandCounterIncrement();
	subscription_enable(subscription);
	return subscription;
}

/* an OID may have been given to the subscription of another database, or of a person */
static bool
is_ours(Oid subscription)
{
	HeapTuple	tuple = SearchSysCache1(SUBSCRIPTIONOID, ObjectIdGetDatum(subscription));
	bool		ours;

	if (!HeapTupleIsValid(tuple))
		return false;
	ours = ((Form_pg_subscription) GETSTRUCT(tuple))->subdbid == MyDatabaseId &&
		((Form_pg_subscription) GETSTRUCT(tuple))->subowner == BOOTSTRAP_SUPERUSERID;
	ReleaseSysCache(tuple);
	return ours;
}

void
subscription_drop(Oid subscription)
{
	const char *name;

	if (!is_ours(subscription))
		return;
	name = quoted_name(subscription);
	execute_as_superuser(psprintf("ALTER SUBSCRIPTION %s DISABLE", name));
	execute_as_superuser(psprintf("ALTER SUBSCRIPTION %s SET (slot_name = NONE)", name));
	execute_as_superuser(psprintf("DROP SUBSCRIPTION %s", name));
}

void
subscription_connect(Oid subscription, const char *conninfo)
{
	execute_as_superuser(psprintf("ALTER SUBSCRIPTION %s CONNECTION %s", quoted_name(subscription), quote_literal_cstr(conninfo)));
}

void
subscription_enable(Oid subscription)
{
	execute_as_superuser(psprintf("ALTER SUBSCRIPTION %s ENABLE", quoted_name(subscription)));
}

SubscriptionState
subscription_look(Oid subscription, Oid table)
{
	SubscriptionState state = {0};
	CatalogArguments arguments = {0};
	CatalogRows *rows;
	Datum		applied;
	bool		isnull;

	catalog_add_oid(&arguments, subscription);
	catalog_add_oid(&arguments, table);
	rows = catalog_query("SELECT s.*, $2 = ANY (s.tables) AS has_table FROM spice_catalog.subscription s WHERE s.subscription = $1",
						 &arguments);
	state.exists = rows->n > 0;
	if (!state.exists)
		return state;
	state.conninfo = catalog_get_text(rows, 0, "conninfo");
	state.enabled = catalog_get_bool(rows, 0, "enabled");
	state.has_table = catalog_get_bool(rows, 0, "has_table");
	state.running = catalog_get_bool(rows, 0, "running");
	state.no_room = catalog_get_bool(rows, 0, "no_room");
	applied = catalog_get(rows, 0, "applied", &isnull);
	state.applied = isnull ? InvalidXLogRecPtr : DatumGetLSN(applied);
	return state;
}

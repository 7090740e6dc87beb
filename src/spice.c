/*-------------------------------------------------------------------------
 *
 * spice.c
 *		Library entry: settings and hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/guc.h"

#include "compat.h"
#include "refresh/follow/slot_ledger.h"
#include "refresh/follow/subscription.h"
#include "refresh/handover.h"
#include "refresh/launcher.h"
#include "spice.h"

PG_MODULE_MAGIC;

char	   *spice_spicepod;
char	   *spice_database;
char	   *spice_role;
int			spice_max_refresh_workers;
int			spice_fetch_memory;
int			spice_fetch_max_size;
int			spice_history_retention;
int			spice_swap_timeout;
bool		spice_parallel_when_busy;

static ProcessUtility_hook_type previous_utility_hook;

extern PGDLLEXPORT void _PG_init(void);

static void
define_settings(void)
{
	DefineCustomStringVariable("spice.spicepod",
							   "Manifest to read, relative to the data directory.", NULL,
							   &spice_spicepod, "spicepod.yaml", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("spice.role",
							   "Role that owns accelerated tables and runs refresh_sql.",
							   "Empty: the owner of the extension.",
							   &spice_role, "", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("spice.fetch_memory",
							"Memory for a fetched response before it goes to a temporary file.", NULL,
							&spice_fetch_memory, 16 * 1024, 64, INT_MAX / 1024, PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("spice.fetch_max_size",
							"Largest response accepted, counted after decompression.", NULL,
							&spice_fetch_max_size, 4096, 1, INT_MAX, PGC_SUSET, GUC_UNIT_MB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("spice.swap_timeout",
							"How long a refresh tries to get the lock under which the table is swapped.", NULL,
							&spice_swap_timeout, 60000, 100, INT_MAX, PGC_SUSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("spice.history_retention",
							"How long rows of spice.refreshes are kept.", NULL,
							&spice_history_retention, 7 * 24 * 60, 1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MIN,
							NULL, NULL, NULL);
	DefineCustomIntVariable("spice.max_refresh_workers",
							"How many datasets are refreshed at the same time.",
							"They come out of max_worker_processes.",
							&spice_max_refresh_workers, 2, 1, MAX_REFRESH_WORKERS, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("spice.parallel_when_busy",
							 "Whether other processes help with a refresh while processors are short.", NULL,
							 &spice_parallel_when_busy, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("spice.database",
							   "Database whose datasets the launcher keeps fresh.", NULL,
							   &spice_database, "postgres",
							   process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP,
							   0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("spice");
}

static bool
drops_extension(const DropStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->removeType == OBJECT_EXTENSION ? statement->objects : NIL)
	{
		if (strcmp(strVal(lfirst(cell)), "spice") == 0)
			return true;
	}
	return false;
}

/*
 * A database that is about to be dropped must not be held open by us, and an
 * extension that goes would take along the knowledge of slots on sources.
 */
static void
process_utility(PlannedStmt *statement, const char *text, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = previous_utility_hook ? previous_utility_hook : standard_ProcessUtility;

	if (IsA(statement->utilityStmt, DropdbStmt) && context == PROCESS_UTILITY_TOPLEVEL &&
		!IsTransactionBlock())
		launcher_leave_database(((DropdbStmt *) statement->utilityStmt)->dbname);
	if (IsA(statement->utilityStmt, DropStmt) && drops_extension((DropStmt *) statement->utilityStmt) &&
		!RecoveryInProgress())
		ledger_refuse_loss();
	next(statement, text, read_only_tree, context, params, environment, receiver, completion);
}

void
_PG_init(void)
{
	define_settings();
	if (!process_shared_preload_libraries_in_progress)
		return;
	launcher_install();
	apply_error_install();
	previous_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}

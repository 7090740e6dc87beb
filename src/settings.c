/*-------------------------------------------------------------------------
 *
 * settings.c
 *		The extension's settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "column/column_reader.h"
#include "refresh/dispatch.h"
#include "settings.h"
#include "vector/vector_plan.h"

static const struct config_enum_entry looks[] = {
	{"right", COLUMN_LOOK, false},
	{"slow", COLUMN_LOOK_SLOWLY, false},
	{"marks_first", COLUMN_LOOK_MARKS_FIRST, false},
	{"map_only", COLUMN_LOOK_MAP_ONLY, false},
	{"marks_only", COLUMN_LOOK_MARKS_ONLY, false},
	{NULL, 0, false}
};

char	   *spice_spicepod;
char	   *spice_database;
char	   *spice_role;
char	   *spice_file_roots;
int			spice_max_refresh_workers;
int			spice_fetch_memory;
int			spice_fetch_max_size;
int			spice_history_retention;
int			spice_swap_timeout;
bool		spice_parallel_when_busy;

void
settings_define(void)
{
	DefineCustomStringVariable("spice.spicepod",
							   "Manifest to read, relative to the data directory.", NULL,
							   &spice_spicepod, "spicepod.yaml", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("spice.role",
							   "Role that owns accelerated tables and runs refresh_sql.",
							   "Empty: the owner of the extension.",
							   &spice_role, "", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("spice.file_roots",
							   "Folders, separated by commas, that datasets may read files of.",
							   "Empty: any outside of the data directory.",
							   &spice_file_roots, "", PGC_SUSET, GUC_LIST_INPUT, NULL, NULL, NULL);
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
	DefineCustomBoolVariable("spice.enable_columns",
							 "Enables the planner's use of column indexes.", NULL,
							 &vector_enable_columns, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomStringVariable("spice.database",
							   "Database whose datasets the launcher keeps fresh.", NULL,
							   &spice_database, "postgres",
							   process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP,
							   0, NULL, NULL, NULL);
	DefineCustomEnumVariable("spice.debug_column_look",
							 "How the rule of column indexes is kept or broken.",
							 "For the tests of the rule: all but right and slow give wrong results.",
							 &column_look, COLUMN_LOOK, looks, PGC_SUSET,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, NULL, NULL, NULL);
	MarkGUCPrefixReserved("spice");
}

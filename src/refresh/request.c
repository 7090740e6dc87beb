/*-------------------------------------------------------------------------
 *
 * request.c
 *		Refreshes that sessions hand to the launcher: spice_catalog.refresh_request.
 *
 * A request stays until its refresh has ended, well or not.  If the worker dies,
 * the launcher starts another one for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/execute.h"
#include "refresh/request.h"

void
request_add(const Dataset *dataset, const char *refresh_sql, const char *refresh_mode, bool retention,
			bool force)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, dataset->id);
	catalog_add_text(&arguments, refresh_sql);
	catalog_add_text(&arguments, refresh_mode);
	catalog_add_bool(&arguments, retention);
	catalog_add_bool(&arguments, force);
	(void) catalog_query("SELECT spice_catalog.add_request($1, $2, $3, $4, $5)", &arguments);
}

void
request_start(Refresh *refresh, int dataset)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->context);
	CatalogArguments arguments = {0};
	CatalogRows *rows;

	catalog_add_int(&arguments, dataset);
	catalog_add_bool(&arguments, refresh->retention);
	rows = catalog_query("SELECT * FROM spice_catalog.start_request($1, $2)", &arguments);
	if (rows->n > 0)
	{
		refresh->trigger = "request";
		refresh->request = catalog_get_int(rows, 0, "id", 0);
		refresh->refresh_sql = catalog_get_text(rows, 0, "refresh_sql");
		refresh->refresh_mode = catalog_get_text(rows, 0, "refresh_mode");
		refresh->force = catalog_get_bool(rows, 0, "force");
	}
	MemoryContextSwitchTo(old);
}

void
request_end(const Refresh *refresh)
{
	CatalogArguments arguments = {0};

	if (refresh->request == 0)
		return;
	catalog_add_int(&arguments, refresh->request);
	(void) catalog_query("DELETE FROM spice_catalog.refresh_request WHERE id = $1", &arguments);
}

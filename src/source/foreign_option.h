/*-------------------------------------------------------------------------
 *
 * foreign_option.h
 *		Options of foreign servers, tables and user mappings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FOREIGN_OPTION_H
#define SPICE_FOREIGN_OPTION_H

#include "nodes/parsenodes.h"

extern DefElem *foreign_option_make(const char *name, const char *value);

/* Returns the option of this name in a list of DefElem *, or NULL. */
extern DefElem *foreign_option_find(List *options, const char *name);

/* Returns OPTIONS (...) of a CREATE command, empty when there are none. */
extern char *foreign_option_clause(List *wanted);

/* Returns OPTIONS (...) of an ALTER command, NULL when nothing differs. */
extern char *foreign_option_changes(List *present, List *wanted);

#endif

/*-------------------------------------------------------------------------
 *
 * foreign_option.c
 *		Options of foreign servers, tables and user mappings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"

#include "source/foreign_option.h"

DefElem *
foreign_option_make(const char *name, const char *value)
{
	return makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1);
}

DefElem *
foreign_option_find(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0)
			return option;
	}
	return NULL;
}

static void
append_option(StringInfo text, const char *verb, const DefElem *option)
{
	appendStringInfo(text, "%s%s%s %s", text->len ? ", " : "", verb,
					 quote_identifier(option->defname),
					 quote_literal_cstr(defGetString((DefElem *) option)));
}

char *
foreign_option_clause(List *wanted)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, wanted)
		append_option(&text, "", lfirst(cell));
	return text.len ? psprintf("OPTIONS (%s)", text.data) : "";
}

char *
foreign_option_changes(List *present, List *wanted)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, wanted)
	{
		DefElem    *option = lfirst(cell);
		DefElem    *before = foreign_option_find(present, option->defname);

		if (before == NULL)
			append_option(&text, "ADD ", option);
		else if (strcmp(defGetString(before), defGetString(option)) != 0)
			append_option(&text, "SET ", option);
	}
	foreach(cell, present)
	{
		DefElem    *option = lfirst(cell);

		if (foreign_option_find(wanted, option->defname) == NULL)
			appendStringInfo(&text, "%sDROP %s", text.len ? ", " : "", quote_identifier(option->defname));
	}
	return text.len ? psprintf("OPTIONS (%s)", text.data) : NULL;
}

/*-------------------------------------------------------------------------
 *
 * redact.c
 *		The gate through which errors and notices leave a refresh or a scan.
 *
 * A refresh quotes its source: the answer to a refused request, a value that does not
 * fit, a field's name.  Each of these may repeat a secret of the dataset.  Many files
 * write such texts, but every error leaves through redact_call(), which searches all
 * of its texts, and every notice through redact_text().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "secret/redact.h"

#include "nodes/pg_list.h"
#include "utils/memutils.h"

#define NOT_SHOWN "(not shown, because it may hold a secret)"

/* one of those that are open */
typedef struct RedactSet
{
	struct RedactSet *next;
	Redaction  *redaction;
	MemoryContextCallback callback;
} RedactSet;

static RedactSet * sets;

static void
close_set(void *arg)
{
	for (RedactSet * *place = &sets; *place != NULL; place = &(*place)->next)
	{
		if (*place != arg)
			continue;
		redaction_free((*place)->redaction);
		*place = (*place)->next;
		return;
	}
}

Redaction *
redact_open(MemoryContext context)
{
	RedactSet  *set = MemoryContextAllocZero(context, sizeof(RedactSet));

	set->redaction = redaction_create();
	if (set->redaction == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	set->next = sets;
	set->callback.func = close_set;
	set->callback.arg = set;
	sets = set;
	MemoryContextRegisterResetCallback(context, &set->callback);
	return set->redaction;
}

static bool
is_found(const char *text)
{
	for (RedactSet * set = sets; set != NULL; set = set->next)
	{
		if (redaction_finds(set->redaction, text))
			return true;
	}
	return false;
}

char *
redact_text(const char *text)
{
	char	   *struck;

	if (text == NULL || !is_found(text))
		return unconstify(char *, text);
	struck = pstrdup(text);
	for (RedactSet * set = sets; set != NULL; set = set->next)
		redaction_strike(set->redaction, struck);
	/* it is there in another form, too */
	return is_found(struck) ? pstrdup(NOT_SHOWN) : struck;
}

/* False: it has no secret. */
static bool
redact_error(ErrorData *error)
{
	char	  **const texts[] = {
		&error->message, &error->detail, &error->detail_log, &error->hint, &error->context,
		&error->internalquery, &error->schema_name, &error->table_name, &error->column_name,
		&error->datatype_name, &error->constraint_name
	};
	bool		changed = false;

	for (int i = 0; i < (int) lengthof(texts); i++)
	{
		char	   *text = redact_text(*texts[i]);

		changed = changed || text != *texts[i];
		*texts[i] = text;
	}
	return changed;
}

void
redact_call(void (*step) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		step(arg);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!redact_error(error))
			PG_RE_THROW();
		FlushErrorState();
		ReThrowError(error);
	}
	PG_END_TRY();
}

/*-------------------------------------------------------------------------
 *
 * resolve.c
 *		Values of a dataset's params with the secrets in them.
 *
 * The caller resolves secrets at the last moment, in a context of its own whose
 * deletion wipes them.  The redaction gate keeps its copies as long as the Dataset
 * lives, because a source can repeat a secret in any later error of the refresh.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "secret/redact.h"
#include "source/resolve.h"

struct Resolver
{
	const Dataset *dataset;
	MemoryContext context;
	SecretStores *stores;
	Redaction  *redaction;
	List	   *values;			/* of char *, to be wiped */
};

static void
wipe(void *arg)
{
	Resolver   *resolver = arg;
	ListCell   *cell;

	foreach(cell, resolver->values)
		secret_free(lfirst(cell));
	secret_stores_close(resolver->stores);
}

static void
raise_secret_error(const Resolver *resolver, const char *param, char *error)
{
	char	   *reason = MemoryContextStrdup(resolver->context, error != NULL ? error : "out of memory");

	free(error);
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("cannot resolve %s of dataset \"%s\": %s", param, resolver->dataset->name, reason),
			 errhint("Set the secret in the server's environment, in an .env file beside the manifest, or in a folder named under secrets.")));
}

static char *
manifest_folder(const Dataset *dataset)
{
	char	   *folder = pstrdup(dataset->manifest_path ? dataset->manifest_path : ".");

	get_parent_directory(folder);
	return folder;
}

Resolver *
resolver_open(const Dataset *dataset, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Resolver   *resolver = palloc0(sizeof(Resolver));
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	char	   *error = NULL;

	resolver->dataset = dataset;
	resolver->context = context;
	callback->func = wipe;
	callback->arg = resolver;
	MemoryContextRegisterResetCallback(context, callback);
	resolver->stores = secret_stores_open(dataset->secrets, manifest_folder(dataset), &error);
	if (resolver->stores == NULL)
		raise_secret_error(resolver, "secrets", error);
	resolver->redaction = redact_open(GetMemoryChunkContext(unconstify(Dataset *, dataset)));
	secret_stores_redact(resolver->stores, resolver->redaction);
	MemoryContextSwitchTo(old);
	return resolver;
}

char *
resolve_value(Resolver *resolver, const char *param, const char *value)
{
	return resolve_form(resolver, param, value, SECRET_PLAIN);
}

char *
resolve_form(Resolver *resolver, const char *param, const char *value, SecretForm form)
{
	MemoryContext old = MemoryContextSwitchTo(resolver->context);
	ListCell   *place;
	char	   *error = NULL;

	if (value == NULL)
	{
		MemoryContextSwitchTo(old);
		return NULL;
	}
	/* there is a place for it before there is a value to lose */
	resolver->values = lappend(resolver->values, NULL);
	place = list_last_cell(resolver->values);
	lfirst(place) = secret_expand(resolver->stores, value, form, &error);
	if (lfirst(place) == NULL)
		raise_secret_error(resolver, param, error);
	MemoryContextSwitchTo(old);
	return lfirst(place);
}

char *
resolver_keep(Resolver *resolver, char *text)
{
	MemoryContext old = MemoryContextSwitchTo(resolver->context);
	char	   *copy;

	resolver->values = lappend(resolver->values, NULL);
	copy = strdup(text);
	explicit_bzero(text, strlen(text));
	if (copy == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	lfirst(list_last_cell(resolver->values)) = copy;
	MemoryContextSwitchTo(old);
	return copy;
}

void
resolver_hide(Resolver *resolver, const char *param, const char *secret)
{
	if (!redaction_add(resolver->redaction, secret))
		raise_secret_error(resolver, param, NULL);
}

char *
resolve_secret(Resolver *resolver, const char *param, const char *value)
{
	char	   *resolved = resolve_value(resolver, param, value);

	if (resolved != NULL)
		resolver_hide(resolver, param, resolved);
	return resolved;
}

char *
resolve_path(const Dataset *dataset, const char *path)
{
	return is_absolute_path(path) ? pstrdup(path) : psprintf("%s/%s", manifest_folder(dataset), path);
}

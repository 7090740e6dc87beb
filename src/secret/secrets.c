/*-------------------------------------------------------------------------
 *
 * secrets.c
 *		Resolves ${store:key} in the values of a manifest.
 *
 * A missing secret must fail by name.  Were it replaced by nothing, a request
 * would go out with an empty password, and the source's "401" would send its
 * reader looking everywhere but at the manifest.  An empty value is treated
 * alike, since no secret is empty on purpose.
 *
 * A secret is copied as seldom as possible, and each copy is wiped before its
 * memory is given back.
 *
 *-------------------------------------------------------------------------
 */
#include "secret/secrets.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "percent.h"
#include "secret/dotenv.h"

#define ENV_PREFIX			"SPICE_"
#define DEFAULT_STORES		"[{\"from\":\"env\",\"name\":\"env\",\"path\":null}]"

typedef enum StoreKind
{
	STORE_ENV,
	STORE_FILE,
	STORE_OTHER					/* of the original runtime; fails by name */
} StoreKind;

typedef struct SecretStore
{
	StoreKind	kind;
	char	   *from;			/* as the manifest calls the kind */
	char	   *name;
	char	   *path;			/* folder of a file store */
	Dotenv		files[2];		/* of an env store, the stronger first */
} SecretStore;

struct SecretStores
{
	SecretStore *list;
	size_t		count;
	Redaction  *redaction;		/* or NULL */
};

/* A reference found in a value. */
typedef struct Reference
{
	const char *begin;			/* at the $ */
	const char *end;			/* behind the } */
	const char *store;
	int			store_length;
	const char *key;
	int			key_length;
} Reference;

typedef enum LookupOutcome
{
	LOOKUP_FOUND,
	LOOKUP_MISSING,
	LOOKUP_EMPTY,
	LOOKUP_REFUSED				/* something else is wrong: error says it */
} LookupOutcome;

typedef struct Lookup
{
	const char *key;
	char	   *value;			/* when found */
	char	   *error;			/* when refused; NULL: out of memory */
} Lookup;

/* A growing text that leaves no copy behind. */
typedef struct SecretText
{
	char	   *text;
	size_t		length;
	size_t		capacity;
} SecretText;

static char *format_text(const char *format,...)
			__attribute__((format(printf, 1, 2)));

/* NULL when out of memory */
static char *
format_text(const char *format,...)
{
	va_list		args;
	char	   *text = NULL;
	int			length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length >= 0)
		text = malloc((size_t) length + 1);
	if (text != NULL)
	{
		va_start(args, format);
		vsnprintf(text, (size_t) length + 1, format, args);
		va_end(args);
	}
	return text;
}

static char *
copy_or_null(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strdup(text) : NULL;
}

static char *
join_path(const char *base, const char *path)
{
	if (path[0] == '/' || base == NULL)
		return strdup(path);
	return format_text("%s/%s", base, path);
}

/*
 * Reads one .env file of a store.  A default file may be missing; one that
 * the manifest names may not.
 */
static bool
load_dotenv(Dotenv *dotenv, const char *base, const char *name, bool required,
			char **error)
{
	char	   *path = join_path(base, name);
	char	   *text = NULL;
	int			line = 0;
	bool		good = false;

	if (path == NULL)
		return false;
	switch (secret_file_read(path, &text))
	{
		case FILE_READ:
			line = dotenv_parse(dotenv, text);
			secret_wipe(text);
			good = line == 0;
			if (line > 0)
				*error = format_text("line %d of %s is not KEY=value", line, path);
			break;
		case FILE_MISSING:
			good = !required;
			if (required)
				*error = format_text("secret file %s does not exist", path);
			break;
		case FILE_REFUSED:
			*error = format_text("could not read secret file %s: %s", path,
								 errno ? strerror(errno) : "not a small text file");
			break;
		case FILE_OUT_OF_MEMORY:
			break;
	}
	free(path);
	return good;
}

static bool
open_env_store(SecretStore *store, const char *base, char **error)
{
	if (store->path != NULL)
		return load_dotenv(&store->files[0], base, store->path, true, error);
	return load_dotenv(&store->files[0], base, ".env.local", false, error) &&
		load_dotenv(&store->files[1], base, ".env", false, error);
}

static bool
open_store(SecretStore *store, const json_t *entry, const char *base, char **error)
{
	char	   *path;

	store->from = copy_or_null(entry, "from");
	store->name = copy_or_null(entry, "name");
	store->path = copy_or_null(entry, "path");
	if (store->from == NULL || store->name == NULL)
	{
		*error = format_text("the list of secret stores is damaged");
		return false;
	}
	if (store->path == NULL && json_is_string(json_object_get(entry, "path")))
		return false;
	if (strcmp(store->from, "env") == 0)
	{
		store->kind = STORE_ENV;
		return open_env_store(store, base, error);
	}
	if (strcmp(store->from, "file") != 0 || store->path == NULL)
	{
		store->kind = STORE_OTHER;
		return true;
	}
	store->kind = STORE_FILE;
	path = join_path(base, store->path);
	free(store->path);
	store->path = path;
	return path != NULL;
}

static bool
open_stores(SecretStores *stores, const json_t *list, const char *base, char **error)
{
	size_t		count = json_array_size(list);

	stores->list = calloc(count + 1, sizeof(SecretStore));
	if (stores->list == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		/* counted first, so that closing gives back what it has by then */
		stores->count++;
		if (!open_store(&stores->list[i], json_array_get(list, i), base, error))
			return false;
	}
	return true;
}

SecretStores *
secret_stores_open(const char *stores_json, const char *base, char **error)
{
	SecretStores *stores = calloc(1, sizeof(SecretStores));
	json_t	   *list = json_loads(stores_json ? stores_json : DEFAULT_STORES, 0, NULL);
	bool		good = false;

	*error = NULL;
	if (stores != NULL && json_is_array(list))
		good = open_stores(stores, list, base, error);
	else if (stores != NULL)
		*error = format_text("the list of secret stores is damaged");
	json_decref(list);
	if (good)
		return stores;
	secret_stores_close(stores);
	return NULL;
}

void
secret_stores_redact(SecretStores *stores, Redaction * redaction)
{
	stores->redaction = redaction;
}

void
secret_stores_close(SecretStores *stores)
{
	if (stores == NULL)
		return;
	for (size_t i = 0; i < stores->count; i++)
	{
		SecretStore *store = &stores->list[i];

		free(store->from);
		free(store->name);
		free(store->path);
		dotenv_free(&store->files[0]);
		dotenv_free(&store->files[1]);
	}
	free(stores->list);
	free(stores);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter, then letters, digits, _ and -; returns its length, 0 for none. */
static int
word_length(const char *p)
{
	int			length = 0;

	if (!is_letter(*p))
		return 0;
	while (is_letter(p[length]) || (p[length] >= '0' && p[length] <= '9') ||
		   p[length] == '_' || p[length] == '-')
		length++;
	return length;
}

static const char *
skip_spaces(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

static bool
match_reference(const char *p, Reference *reference)
{
	reference->begin = p;
	if (p[0] != '$' || p[1] != '{')
		return false;
	reference->store = skip_spaces(p + 2);
	reference->store_length = word_length(reference->store);
	p = skip_spaces(reference->store + reference->store_length);
	if (reference->store_length == 0 || *p != ':')
		return false;
	reference->key = skip_spaces(p + 1);
	reference->key_length = word_length(reference->key);
	p = skip_spaces(reference->key + reference->key_length);
	if (reference->key_length == 0 || *p != '}')
		return false;
	reference->end = p + 1;
	return true;
}

static bool
next_reference(const char *text, Reference *reference)
{
	for (; *text != '\0'; text++)
	{
		if (match_reference(text, reference))
			return true;
	}
	return false;
}

bool
secret_is_reference(const char *value)
{
	Reference	reference;

	return match_reference(skip_spaces(value), &reference) && *skip_spaces(reference.end) == '\0';
}

/* ASCII only, whatever the locale says about letters. */
static char *
changed_case(const char *prefix, const char *key, bool upper)
{
	char	   *copy = format_text("%s%s", prefix, key);

	for (char *p = copy; p != NULL && *p != '\0'; p++)
	{
		if (upper && *p >= 'a' && *p <= 'z')
			*p = (char) (*p - 'a' + 'A');
		else if (!upper && *p >= 'A' && *p <= 'Z')
			*p = (char) (*p - 'A' + 'a');
	}
	return copy;
}

/* Editors, echo and mounted files add a line break; no secret ends in one. */
static void
cut_line_break(char *value)
{
	size_t		length = strlen(value);

	if (length > 0 && value[length - 1] == '\n')
		value[--length] = '\0';
	if (length > 0 && value[length - 1] == '\r')
		value[--length] = '\0';
}

/* value is the caller's until it is found, then the lookup's */
static LookupOutcome
take_value(Lookup *lookup, char *value)
{
	cut_line_break(value);
	if (value[0] == '\0')
		return LOOKUP_EMPTY;
	lookup->value = value;
	return LOOKUP_FOUND;
}

/* The environment wins over the files, as if they had been loaded into it. */
static LookupOutcome
look_up_variable(const SecretStore *store, Lookup *lookup, const char *prefix)
{
	char	   *variable = changed_case(prefix, lookup->key, true);
	const char *value;
	char	   *copy;
	LookupOutcome outcome;

	if (variable == NULL)
		return LOOKUP_REFUSED;
	value = getenv(variable);
	for (int i = 0; i < 2 && value == NULL; i++)
		value = dotenv_get(&store->files[i], variable);
	free(variable);
	if (value == NULL)
		return LOOKUP_MISSING;
	copy = strdup(value);
	if (copy == NULL)
		return LOOKUP_REFUSED;
	outcome = take_value(lookup, copy);
	if (outcome != LOOKUP_FOUND)
		free(copy);
	return outcome;
}

static LookupOutcome
look_up_in_env(const SecretStore *store, Lookup *lookup)
{
	LookupOutcome prefixed = look_up_variable(store, lookup, ENV_PREFIX);
	LookupOutcome bare;

	if (prefixed == LOOKUP_FOUND || prefixed == LOOKUP_REFUSED)
		return prefixed;
	bare = look_up_variable(store, lookup, "");
	return bare == LOOKUP_MISSING ? prefixed : bare;
}

/*
 * name comes from match_reference(), which lets neither a slash nor a point
 * through, so it cannot leave the folder.  A link inside the folder may: that
 * is how Kubernetes lays out what it mounts.
 */
static LookupOutcome
look_up_file(const SecretStore *store, Lookup *lookup, const char *name)
{
	char	   *path = format_text("%s/%s", store->path, name);
	LookupOutcome outcome = LOOKUP_REFUSED;
	char	   *text = NULL;

	if (path == NULL)
		return LOOKUP_REFUSED;
	switch (secret_file_read(path, &text))
	{
		case FILE_READ:
			outcome = take_value(lookup, text);
			if (outcome != LOOKUP_FOUND)
				free(text);
			break;
		case FILE_MISSING:
			outcome = LOOKUP_MISSING;
			break;
		case FILE_REFUSED:
			lookup->error = format_text("could not read secret \"%s\" from %s: %s",
										lookup->key, path,
										errno ? strerror(errno) : "not a small text file");
			break;
		case FILE_OUT_OF_MEMORY:
			break;
	}
	free(path);
	return outcome;
}

static LookupOutcome
look_up_in_folder(const SecretStore *store, Lookup *lookup)
{
	char	   *lower = changed_case("", lookup->key, false);
	char	   *upper = changed_case("", lookup->key, true);
	LookupOutcome outcome = LOOKUP_REFUSED;

	if (lower != NULL && upper != NULL)
	{
		outcome = look_up_file(store, lookup, lookup->key);
		if (outcome == LOOKUP_MISSING)
			outcome = look_up_file(store, lookup, lower);
		if (outcome == LOOKUP_MISSING)
			outcome = look_up_file(store, lookup, upper);
	}
	free(lower);
	free(upper);
	return outcome;
}

static LookupOutcome
look_up_in_store(const SecretStore *store, Lookup *lookup, bool named)
{
	if (store->kind == STORE_ENV)
		return look_up_in_env(store, lookup);
	if (store->kind == STORE_FILE)
		return look_up_in_folder(store, lookup);
	if (!named)
		return LOOKUP_MISSING;
	lookup->error = format_text("secret \"%s\" is in store \"%s\", and stores of kind %s are not supported yet",
								lookup->key, store->name, store->from);
	return LOOKUP_REFUSED;
}

static bool
store_is_asked(const SecretStore *store, const Reference *reference, bool all)
{
	return all || (strncmp(store->name, reference->store,
						   (size_t) reference->store_length) == 0 &&
				   store->name[reference->store_length] == '\0');
}

/* Adds ", kind name" to the list of stores in a message; frees the old text. */
static char *
describe_store(char *list, const SecretStore *store, LookupOutcome outcome)
{
	char	   *longer = NULL;

	if (list != NULL)
		longer = format_text("%s%s%s%s%s%s", list, list[0] ? ", " : "", store->name,
							 store->kind == STORE_FILE ? " (folder " : "",
							 store->kind == STORE_FILE ? store->path :
							 store->kind == STORE_OTHER ? " (not supported yet)" : "",
							 store->kind == STORE_FILE ? ")" : "");
	free(list);
	if (longer != NULL && outcome == LOOKUP_EMPTY)
	{
		char	   *marked = format_text("%s, where it is empty", longer);

		free(longer);
		longer = marked;
	}
	return longer;
}

/* What to say when no store had the key. */
static char *
missing_error(const Reference *reference, const Lookup *lookup, const char *asked)
{
	if (asked[0] == '\0')
		return format_text("secret \"%s\" is to come from store \"%.*s\", and there is no such store",
						   lookup->key, reference->store_length, reference->store);
	return format_text("secret \"%s\" was not found; stores asked: %s",
					   lookup->key, asked);
}

/* Fills lookup->value, or lookup->error and returns false. */
static bool
look_up(const SecretStores *stores, const Reference *reference, Lookup *lookup)
{
	bool		all = reference->store_length == 7 &&
	strncmp(reference->store, "secrets", 7) == 0;
	char	   *asked = strdup("");

	for (size_t i = stores->count; i > 0 && asked != NULL; i--)
	{
		const SecretStore *store = &stores->list[i - 1];
		LookupOutcome outcome;

		if (!store_is_asked(store, reference, all))
			continue;
		outcome = look_up_in_store(store, lookup, !all);
		if (outcome == LOOKUP_FOUND || outcome == LOOKUP_REFUSED)
		{
			free(asked);
			return outcome == LOOKUP_FOUND;
		}
		asked = describe_store(asked, store, outcome);
	}
	if (asked != NULL)
		lookup->error = missing_error(reference, lookup, asked);
	free(asked);
	return false;
}

static bool
append(SecretText *to, const char *text, size_t length)
{
	if (to->length + length + 1 > to->capacity)
	{
		size_t		wanted = (to->length + length + 1) * 2;
		char	   *bigger = malloc(wanted);

		if (bigger == NULL)
			return false;
		if (to->length > 0)
			memcpy(bigger, to->text, to->length);
		bigger[to->length] = '\0';
		secret_wipe(to->text);
		to->text = bigger;
		to->capacity = wanted;
	}
	memcpy(to->text + to->length, text, length);
	to->length += length;
	to->text[to->length] = '\0';
	return true;
}

static bool
append_query_byte(SecretText *to, char byte)
{
	char		escape[PERCENT_LENGTH];
	size_t		length = percent_encode(byte, escape);

	return append(to, escape, length);
}

static bool
append_json_byte(SecretText *to, char byte)
{
	char		escape[8];
	int			length = 1;

	if ((unsigned char) byte < 0x20)
		length = snprintf(escape, sizeof(escape), "\\u%04x", byte);
	else if (byte == '"' || byte == '\\')
		length = snprintf(escape, sizeof(escape), "\\%c", byte);
	else
		escape[0] = byte;
	return append(to, escape, (size_t) length);
}

static bool
append_value(SecretText *to, const char *value, SecretForm form)
{
	bool		good = true;

	if (form == SECRET_PLAIN)
		return append(to, value, strlen(value));
	for (; good && *value != '\0'; value++)
		good = form == SECRET_IN_QUERY ? append_query_byte(to, *value) : append_json_byte(to, *value);
	return good;
}

static bool
append_secret(const SecretStores *stores, const Reference *reference,
			  SecretForm form, SecretText *to, char **error)
{
	char	   *key = strndup(reference->key, (size_t) reference->key_length);
	Lookup		lookup = {.key = key};
	bool		good = false;

	if (key != NULL && look_up(stores, reference, &lookup))
		good = (stores->redaction == NULL || redaction_add(stores->redaction, lookup.value)) &&
			append_value(to, lookup.value, form);
	secret_wipe(lookup.value);
	*error = lookup.error;
	free(key);
	return good;
}

char *
secret_expand(SecretStores *stores, const char *value, SecretForm form, char **error)
{
	SecretText	to = {0};
	Reference	reference;
	const char *p = value;
	bool		good = true;

	*error = NULL;
	while (good && next_reference(p, &reference))
	{
		good = append(&to, p, (size_t) (reference.begin - p)) &&
			append_secret(stores, &reference, form, &to, error);
		p = reference.end;
	}
	if (good && append(&to, p, strlen(p)))
		return to.text;
	secret_wipe(to.text);
	return NULL;
}

void
secret_free(char *value)
{
	secret_wipe(value);
}

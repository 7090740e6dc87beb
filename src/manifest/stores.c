/*-------------------------------------------------------------------------
 *
 * stores.c
 *		The list "secrets": which stores hold secrets, in which order.
 *
 * The list says where secret/secrets.c looks for a secret.  It goes there by way
 * of the catalog, hence as JSON:
 *
 *		[{"from":"env","name":"env","path":null}, ...]
 *
 * path is the folder of a file store and the .env file of an env store.  A store
 * of a kind that is not supported stays in the list, so that a reference to it
 * fails by its name instead of finding a secret in another store.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/stores.h"

#include <string.h>

#include "manifest/check.h"
#include "manifest/json_tree.h"

#define DEFAULT_FOLDER		"/run/secrets"

#define OTHER_STORES \
	"keyring|kubernetes|aws_secrets_manager|vault|hashicorp_vault|azure_key_vault"

static bool
store_name_is_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *rest = name + strspn(name, letters);

	if (rest == name)
		return false;
	for (; *rest != '\0'; rest++)
	{
		if (strchr(letters, *rest) == NULL && strchr("0123456789_-", *rest) == NULL)
			return false;
	}
	return strcmp(name, "secrets") != 0;
}

static bool
name_is_taken(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")),
				   name) == 0)
			return true;
	}
	return false;
}

/* The path of a store: its param, or what follows the colon in "from". */
static const char *
parse_path(Parser *parser, const DocNode *entry, const KeyTable *table,
		   const char *selector)
{
	const DocNode *params = check_value(&keys_of_secret, entry, "params");
	const DocNode *path;

	if (params == NULL)
		return selector;
	check_mapping(parser, table, params);
	path = check_value(table, params, table->keys[0].name);
	if (path == NULL)
		return selector;
	if (path->text[0] == '\0')
		parse_problem(parser, MANIFEST_ERROR, path->line, NULL, "%s is empty",
					  table->keys[0].name);
	if (selector != NULL && strcmp(selector, path->text) != 0)
		parse_problem(parser, MANIFEST_ERROR, path->line, "keep one of the two",
					  "path contradicts the folder in from");
	return path->text;
}

static void
add_store(Parser *parser, json_t *list, const char *kind, const char *name,
		  const char *path)
{
	json_t	   *store = json_tree_add(parser, list, json_tree_new_object());

	json_tree_put_text(parser, store, "name", name);
	json_tree_put_text(parser, store, "from", kind);
	json_tree_put_text(parser, store, "path", path);
}

/* A store that only the original runtime knows fails its references, not the manifest. */
static void
refuse_kind(Parser *parser, const DocNode *from, const char *kind)
{
	const char *hint = "stores that work: env, file";
	bool		failed = parser->failed;

	if (!keys_value_in(OTHER_STORES, kind))
	{
		parse_problem(parser, MANIFEST_ERROR, from->line, hint,
					  "unknown secret store \"%s\"",
					  document_excerpt(parser->arena, kind));
		return;
	}
	parse_problem(parser, MANIFEST_ERROR, from->line, hint,
				  "secret store %s is not supported yet", kind);
	parser->failed = failed;
}

static void
parse_store(Parser *parser, const DocNode *entry, json_t *list)
{
	const DocNode *from;
	const char *kind;
	const char *name;
	const char *selector;
	const char *path = NULL;

	if (entry->kind != DOC_MAPPING)
	{
		parse_problem(parser, MANIFEST_ERROR, entry->line,
					  "write - from: env, and name: env below it",
					  "an entry of secrets must be a mapping");
		return;
	}
	check_mapping(parser, &keys_of_secret, entry);
	from = check_value(&keys_of_secret, entry, "from");
	if (from == NULL)
	{
		parse_problem(parser, MANIFEST_ERROR, entry->line, "write - from: env",
					  "an entry of secrets has no from");
		return;
	}
	kind = arena_strndup(parser->arena, from->text, strcspn(from->text, ":"));
	selector = strchr(from->text, ':');
	if (selector != NULL)
		selector++;
	name = check_text(&keys_of_secret, entry, "name", kind);
	if (!store_name_is_valid(name))
		parse_problem(parser, MANIFEST_ERROR, entry->line,
					  "begin with a letter and go on with letters, digits, _ and -; \"secrets\" means all stores",
					  "\"%s\" cannot name a secret store",
					  document_excerpt(parser->arena, name));
	else if (name_is_taken(list, name))
		parse_problem(parser, MANIFEST_ERROR, entry->line, "give it a name of its own",
					  "two secret stores have the name \"%s\"", name);
	if (strcmp(kind, "env") == 0)
	{
		if (selector != NULL)
			parse_problem(parser, MANIFEST_ERROR, from->line,
						  "name another file in params: file_path",
						  "the env store takes nothing after its name");
		path = parse_path(parser, entry, &keys_of_env, NULL);
	}
	else if (strcmp(kind, "file") == 0)
	{
		path = parse_path(parser, entry, &keys_of_file,
						  selector && selector[0] ? selector : NULL);
		if (path == NULL)
			path = DEFAULT_FOLDER;
	}
	else
		refuse_kind(parser, from, kind);
	add_store(parser, list, kind, name, path);
}

char *
stores_parse(Parser *parser, const DocNode *root)
{
	const DocNode *secrets = check_value(&keys_of_manifest, root, "secrets");
	json_t	   *list = json_tree_begin(parser, json_array());

	if (secrets == NULL || secrets->count == 0)
		add_store(parser, list, "env", "env", NULL);
	for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
	{
		if (i == 100)
		{
			parse_problem(parser, MANIFEST_ERROR, secrets->line, NULL,
						  "there are more than 100 secret stores");
			break;
		}
		parse_store(parser, secrets->items[i], list);
	}
	return json_tree_finish(parser);
}

/*-------------------------------------------------------------------------
 *
 * manifest.c
 *		Bytes of spicepod.yaml to validated datasets.
 *
 * A mistake inside of a dataset refuses that dataset and no other.  A mistake that
 * leaves in doubt which datasets there are (broken YAML, a misspelt "datasets", an
 * entry without a name) breaks the manifest as a whole: acting on it would look as
 * if datasets had been removed.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/check.h"
#include "manifest/entry.h"
#include "manifest/stores.h"

#define MAX_DATASETS		10000

/* The caller holds the first member, so both have one address. */
typedef struct OwnedManifest
{
	Manifest	manifest;
	Arena		arena;
	Parser		parser;
	size_t		datasets_capacity;
} OwnedManifest;

static void
require_top_level(Parser *parser, const DocNode *root, const char *key,
				  const char *cure)
{
	const DocNode *node = document_get(root, key);

	if (node == NULL || document_is_null(node) ||
		(node->kind == DOC_SCALAR && node->text[0] == '\0'))
		parse_problem(parser, MANIFEST_ERROR, node ? node->line : root->line, cure,
					  "%s is missing", key);
}

static const ManifestDataset *
find_same_name(const Manifest *manifest, const char *name)
{
	for (int i = 0; i < manifest->n_datasets; i++)
	{
		if (strcmp(manifest->datasets[i].name, name) == 0)
			return &manifest->datasets[i];
	}
	return NULL;
}

/*
 * The name under which an entry's problems are reported and its previous
 * definition is found; NULL when the entry has none.
 */
static const char *
entry_name(const DocNode *entry)
{
	const char *name = check_text(&keys_of_dataset, entry, "name", NULL);

	return name != NULL && name[0] != '\0' ? name : NULL;
}

static bool
entry_is_usable(Parser *parser, const DocNode *entry)
{
	const DocNode *ref;

	if (entry->kind != DOC_MAPPING)
	{
		parse_problem(parser, MANIFEST_ERROR, entry->line, "write - from: http://host/path",
					  "an entry of datasets must be a mapping");
		return false;
	}
	ref = document_get(entry, "ref");
	parser->dataset = entry_name(entry);
	if (ref != NULL && parser->dataset == NULL)
	{
		/* it never was a dataset here, so nothing is in doubt */
		bool		failed = parser->failed;

		entry_refuse_ref(parser, ref);
		parser->failed = failed;
		return false;
	}
	if (parser->dataset == NULL)
	{
		const DocNode *name = document_get(entry, "name");

		parse_problem(parser, MANIFEST_ERROR, name ? name->line : entry->line,
					  "write name: table or name: schema.table, in quotes if it is a number",
					  "a dataset has no name");
		return false;
	}
	return true;
}

static void
add_dataset(OwnedManifest *owned, const DocNode *entry)
{
	Parser	   *parser = &owned->parser;
	Manifest   *manifest = &owned->manifest;
	ManifestDataset dataset = {.line = entry->line};
	ManifestDataset *same;

	if (!entry_is_usable(parser, entry))
		return;
	parser->failed = false;
	same = (ManifestDataset *) find_same_name(manifest, parser->dataset);
	if (same != NULL)
	{
		/* no guess decides which of them is meant */
		parse_problem(parser, MANIFEST_ERROR, entry->line, "give it another name",
					  "two datasets have the name \"%s\", the first in line %d",
					  document_excerpt(parser->arena, parser->dataset), same->line);
		same->definition = NULL;
		return;
	}
	dataset.name = arena_strdup(parser->arena, parser->dataset);
	entry_parse(parser, entry, &dataset);
	manifest->datasets = arena_grow(parser->arena, manifest->datasets,
									(size_t) manifest->n_datasets,
									&owned->datasets_capacity,
									sizeof(ManifestDataset));
	manifest->datasets[manifest->n_datasets++] = dataset;
}

/* Parses every entry; false if it is in doubt which datasets there are. */
static bool
parse_datasets(OwnedManifest *owned, const DocNode *datasets)
{
	Parser	   *parser = &owned->parser;
	bool		known = true;

	if (datasets->count > MAX_DATASETS)
	{
		parse_problem(parser, MANIFEST_ERROR, datasets->line, NULL,
					  "there are more than %d datasets", MAX_DATASETS);
		return false;
	}
	for (size_t i = 0; i < datasets->count; i++)
	{
		parser->failed = false;
		add_dataset(owned, datasets->items[i]);
		if (parser->dataset == NULL && parser->failed)
			known = false;
		parser->dataset = NULL;
	}
	return known;
}

/* Refuses names that differ and fold to one table: "a-b" and "a_b". */
static void
refuse_shared_tables(Parser *parser)
{
	Manifest   *manifest = parser->manifest;

	for (int i = 0; i < manifest->n_datasets; i++)
	{
		ManifestDataset *later = &manifest->datasets[i];

		for (int j = 0; j < i && later->table[0] != '\0'; j++)
		{
			ManifestDataset *first = &manifest->datasets[j];

			if (strcmp(first->table, later->table) != 0 ||
				strcmp(first->schema, later->schema) != 0)
				continue;
			parser->dataset = later->name;
			parse_problem(parser, MANIFEST_ERROR, later->line, "rename one of them",
						  "dataset \"%s\" in line %d has the same table %s.%s",
						  document_excerpt(parser->arena, first->name),
						  first->line, later->schema, later->table);
			first->definition = later->definition = NULL;
			break;
		}
	}
	parser->dataset = NULL;
}

static void
parse_root(OwnedManifest *owned, const DocNode *root)
{
	Parser	   *parser = &owned->parser;
	Manifest   *manifest = &owned->manifest;
	const DocNode *datasets;

	if (root->kind != DOC_MAPPING)
	{
		parse_problem(parser, MANIFEST_ERROR, root->line,
					  "a manifest begins with version, kind and name",
					  "the manifest must be a mapping");
		manifest->broken = true;
		return;
	}
	check_mapping(parser, &keys_of_manifest, root);
	require_top_level(parser, root, "version", "write version: v1");
	require_top_level(parser, root, "kind", "write kind: Spicepod");
	require_top_level(parser, root, "name", "write name: and a name");
	manifest->name = (char *) check_text(&keys_of_manifest, root, "name", NULL);
	manifest->secrets = stores_parse(parser, root);
	manifest->broken = parser->failed;

	datasets = check_value(&keys_of_manifest, root, "datasets");
	if (datasets != NULL && !parse_datasets(owned, datasets))
		manifest->broken = true;
	refuse_shared_tables(parser);
}

/* Sorts by line; problems of one line stay in the order in which they were found. */
static void
sort_problems(Manifest *manifest)
{
	for (int i = 1; i < manifest->n_problems; i++)
	{
		ManifestProblem problem = manifest->problems[i];
		int			j = i;

		for (; j > 0 && manifest->problems[j - 1].line > problem.line; j--)
			manifest->problems[j] = manifest->problems[j - 1];
		manifest->problems[j] = problem;
	}
}

static void
parse_text(OwnedManifest *owned, const char *text, size_t length)
{
	DocError	error;
	const DocNode *root = document_parse(&owned->arena, text, length, &error);

	if (root == NULL)
	{
		parse_problem(&owned->parser, MANIFEST_ERROR, error.line, error.hint,
					  "%s", error.message);
		owned->manifest.broken = true;
	}
	else
		parse_root(owned, root);
	sort_problems(&owned->manifest);
}

Manifest *
manifest_parse(const char *text, size_t length)
{
	OwnedManifest *owned = calloc(1, sizeof(OwnedManifest));
	jmp_buf		escape;

	if (owned == NULL)
		return NULL;
	owned->arena.escape = &escape;
	owned->parser.arena = &owned->arena;
	owned->parser.manifest = &owned->manifest;
	if (setjmp(escape) != 0)
	{
		json_decref(owned->parser.json);
		manifest_free(&owned->manifest);
		return NULL;
	}
	parse_text(owned, text, length);
	owned->arena.escape = NULL;
	return &owned->manifest;
}

void
manifest_free(Manifest *manifest)
{
	OwnedManifest *owned = (OwnedManifest *) manifest;

	if (owned == NULL)
		return;
	arena_free(&owned->arena);
	free(owned);
}

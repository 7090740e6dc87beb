/*-------------------------------------------------------------------------
 *
 * fuzz_manifest.c
 *		Feeds any bytes to the manifest parser.
 *
 * Besides the sanitizers' findings it looks for promises that a later caller
 * relies on: a definition is JSON, a broken or refused dataset says why, and
 * problems come in the order of their lines.
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/manifest.h"
#include "secret/secrets.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int condition)
{
	if (!condition)
		abort();
}

static void
check_json(const char *text)
{
	json_t	   *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	require(json != NULL);
	json_decref(json);
}

static int
errors_of(const Manifest *manifest)
{
	int			errors = 0;

	for (int i = 0; i < manifest->n_problems; i++)
	{
		const ManifestProblem *problem = &manifest->problems[i];

		errors += problem->severity == MANIFEST_ERROR;
		require(problem->message[0] != '\0');
		require(i == 0 || manifest->problems[i - 1].line <= problem->line);
	}
	return errors;
}

/* Any text as the value of a param: it must come back, or fail with a text. */
static void
expand(const uint8_t *data, size_t size)
{
	char	   *text = calloc(1, size + 1);
	char	   *error;
	SecretStores *stores = secret_stores_open(NULL, "/nonexistent", &error);
	char	   *value;

	memcpy(text, data, size);
	value = secret_expand(stores, text, SECRET_PLAIN, &error);
	require(value != NULL || error != NULL);
	require(!secret_is_reference(text) || value == NULL || strcmp(value, text) != 0);
	if (strstr(text, "${") == NULL)
		require(value != NULL && strcmp(value, text) == 0);
	secret_free(value);
	free(error);
	secret_stores_close(stores);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Manifest   *manifest = manifest_parse((const char *) data, size);
	int			errors = errors_of(manifest);

	require(!manifest->broken || errors > 0);
	if (manifest->secrets != NULL)
		check_json(manifest->secrets);
	for (int i = 0; i < manifest->n_datasets; i++)
	{
		if (manifest->datasets[i].definition != NULL)
			check_json(manifest->datasets[i].definition);
		else
			require(errors > 0);
	}
	manifest_free(manifest);
	expand(data, size);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * secrets.h
 *		Resolves ${store:key} in the values of a manifest.
 *
 * Includes no server header.  A resolved value belongs to the caller, who
 * gives it back to secret_free(), which wipes it first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SECRETS_H
#define SPICE_SECRETS_H

#include <stdbool.h>

#include "secret/redaction.h"

typedef struct SecretStores SecretStores;

/*
 * stores_json: what Manifest.secrets held (NULL: the default, one env store).
 * base: the manifest's directory, from which .env files and relative folders
 * are read.  On failure returns NULL and sets *error (free() it; NULL when
 * out of memory).
 */
extern SecretStores *secret_stores_open(const char *stores_json,
										const char *base, char **error);

/* Adds to redaction every secret that the stores give from now on. */
extern void secret_stores_redact(SecretStores *stores, Redaction * redaction);
extern void secret_stores_close(SecretStores *stores);

/* is the value one reference to a secret, and nothing else? */
extern bool secret_is_reference(const char *value);

/* How a secret is written into the text around it. */
typedef enum SecretForm
{
	SECRET_PLAIN,
	SECRET_IN_QUERY,			/* percent-encoded */
	SECRET_IN_JSON				/* escaped as within a string */
} SecretForm;

/*
 * Replaces every reference in value.  On failure returns NULL and sets *error
 * to a text that names the missing key and where it was looked for, and never
 * holds a secret (free() it; NULL when out of memory).
 */
extern char *secret_expand(SecretStores *stores, const char *value, SecretForm form, char **error);
extern void secret_free(char *value);

#endif

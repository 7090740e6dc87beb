/*-------------------------------------------------------------------------
 *
 * resolve.h
 *		Values of a dataset's params with the secrets in them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RESOLVE_H
#define SPICE_RESOLVE_H

#include "catalog/dataset.h"
#include "secret/secrets.h"

typedef struct Resolver Resolver;

/*
 * Opens the secret stores.  Deleting context wipes and frees all that came of them.
 * Until the context of dataset is reset, no error that leaves through redact_call()
 * repeats a secret.
 */
extern Resolver *resolver_open(const Dataset *dataset, MemoryContext context);

/*
 * The value with every reference replaced; NULL for NULL.  Raises an error that
 * names param and the secret which is missing.
 */
extern char *resolve_value(Resolver *resolver, const char *param, const char *value);

/* The same with each secret written in this form. */
extern char *resolve_form(Resolver *resolver, const char *param, const char *value, SecretForm form);

/* The same of a param that is a secret itself, also one that stands in the manifest. */
extern char *resolve_secret(Resolver *resolver, const char *param, const char *value);

/* A copy of a text with secrets in it, which is wiped as they are; text is wiped at once. */
extern char *resolver_keep(Resolver *resolver, char *text);

/* No error repeats this part of a param either. */
extern void resolver_hide(Resolver *resolver, const char *param, const char *secret);

/* a path of the manifest; relative ones begin at its folder */
extern char *resolve_path(const Dataset *dataset, const char *path);

#endif

/*-------------------------------------------------------------------------
 *
 * request_keys.h
 *		What a request holds: "params" http_headers, http_query, http_method, http_body.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REQUEST_KEYS_H
#define SPICE_REQUEST_KEYS_H

#include "manifest/spec.h"

/*
 * Replaces a mapping by its text: of http_headers a line for each header, which ends in a line
 * break; of http_query a query, percent-encoded but for references to secrets and places of times.
 */
extern void request_keys_flatten(Parser *parser, const DocNode *params);

/* Refuses what contradicts itself; refresh_mode has to be known. */
extern void request_keys_check(Parser *parser, DatasetSpec *spec);

/* Do services have their credentials in a query under this name? */
extern bool request_key_is_secret(const char *name, size_t length);

#endif

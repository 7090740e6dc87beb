/*-------------------------------------------------------------------------
 *
 * token_keys.h
 *		Who a request says it is: "params" http_bearer_token, auth_*, http_auth_*, http_tls_*.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TOKEN_KEYS_H
#define SPICE_TOKEN_KEYS_H

#include "manifest/spec.h"

/* Refuses what contradicts itself. */
extern void token_keys_check(Parser *parser, const DatasetSpec *spec);

#endif

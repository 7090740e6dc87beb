/*-------------------------------------------------------------------------
 *
 * retention_keys.h
 *		Which rows of a table are deleted for their age, and when.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RETENTION_KEYS_H
#define SPICE_RETENTION_KEYS_H

#include "manifest/spec.h"

extern void retention_keys_parse(Parser *parser, DatasetSpec *spec);

#endif

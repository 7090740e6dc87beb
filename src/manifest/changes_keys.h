/*-------------------------------------------------------------------------
 *
 * changes_keys.h
 *		A dataset whose table follows its source: refresh_mode changes.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CHANGES_KEYS_H
#define SPICE_CHANGES_KEYS_H

#include "manifest/spec.h"

/* Checks what refresh_mode changes asks of a dataset whose other keys are parsed. */
extern void changes_keys_parse(Parser *parser, DatasetSpec *spec);

#endif

/*-------------------------------------------------------------------------
 *
 * definition_print.h
 *		A validated dataset as JSON.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DEFINITION_PRINT_H
#define SPICE_DEFINITION_PRINT_H

#include "manifest/spec.h"

extern char *definition_print(Parser *parser, const DatasetSpec *spec);

#endif

/*-------------------------------------------------------------------------
 *
 * append.h
 *		Which rows a refresh takes, and what becomes of a row that the table has.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_APPEND_H
#define SPICE_APPEND_H

#include "manifest/spec.h"

extern void append_parse(Parser *parser, DatasetSpec *spec);

#endif

/*-------------------------------------------------------------------------
 *
 * connection.h
 *		Where a dataset comes from: "from" and "params".
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CONNECTION_H
#define SPICE_CONNECTION_H

#include "manifest/spec.h"

extern void connection_parse(Parser *parser, DatasetSpec *spec);

#endif

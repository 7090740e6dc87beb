/*-------------------------------------------------------------------------
 *
 * database.h
 *		Datasets that come from a relation of a database.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DATABASE_H
#define SPICE_DATABASE_H

#include "manifest/spec.h"

/* false when "from" is of another kind */
extern bool database_parse(Parser *parser, const DocNode *from, DatasetSpec *spec);

#endif

/*-------------------------------------------------------------------------
 *
 * csv_options.h
 *		How a CSV or TSV response is written: params csv_* and tsv_*.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CSV_OPTIONS_H
#define SPICE_CSV_OPTIONS_H

#include "manifest/spec.h"

/* Fills the fields csv_..., which are set for the formats csv and tsv only. */
extern void csv_options_parse(Parser *parser, DatasetSpec *spec);

#endif

/*-------------------------------------------------------------------------
 *
 * schedule_keys.h
 *		When a dataset is refreshed: interval, cron and jitter.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SCHEDULE_KEYS_H
#define SPICE_SCHEDULE_KEYS_H

#include "manifest/spec.h"

extern void schedule_keys_parse(Parser *parser, DatasetSpec *spec);

#endif

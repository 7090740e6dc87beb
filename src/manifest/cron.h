/*-------------------------------------------------------------------------
 *
 * cron.h
 *		Cron expressions of five fields, or of six that begin with seconds.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CRON_H
#define SPICE_CRON_H

#include "manifest/document.h"
#include "manifest/parse.h"

/* The expression with one blank between its fields; NULL: refused, with a problem. */
extern char *cron_parse(Parser *parser, const char *setting, const DocNode *node);

/*
 * How often an expression of six fields is due that names seconds alone: 30 for a step
 * of 30 and five fields of any value.  A divisor of 60; else 0.
 */
extern int	cron_seconds(const char *text);

#endif

/*-------------------------------------------------------------------------
 *
 * cron.h
 *		Cron expressions of five fields.
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

#endif

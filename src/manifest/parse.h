/*-------------------------------------------------------------------------
 *
 * parse.h
 *		The parser of a manifest, and the problems that it reports.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARSE_H
#define SPICE_PARSE_H

#include <jansson.h>
#include <stdbool.h>

#include "manifest/arena.h"
#include "manifest/manifest.h"

typedef struct Parser
{
	Arena	   *arena;
	Manifest   *manifest;
	size_t		problems_capacity;
	const char *dataset;		/* being validated, or NULL */
	bool		failed;			/* an error was reported, or would have been */
	json_t	   *json;			/* being built; the owner of the parser frees it */
} Parser;

/* Adds a problem; past a thousand of them it only sets parser->failed. */
extern void parse_problem(Parser *parser, ManifestSeverity severity, int line,
						  const char *hint, const char *format,...)
			__attribute__((format(printf, 5, 6)));

#endif

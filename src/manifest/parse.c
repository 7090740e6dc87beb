/*-------------------------------------------------------------------------
 *
 * parse.c
 *		Problems of a manifest.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

/* A person reads fewer; a file of nonsense must not fill the memory. */
#define MAX_PROBLEMS		1000

void
parse_problem(Parser *parser, ManifestSeverity severity, int line,
			  const char *hint, const char *format,...)
{
	Manifest   *manifest = parser->manifest;
	ManifestProblem *problem;
	va_list		args;

	if (severity == MANIFEST_ERROR)
		parser->failed = true;
	if (manifest->n_problems >= MAX_PROBLEMS)
		return;
	manifest->problems = arena_grow(parser->arena, manifest->problems,
									(size_t) manifest->n_problems,
									&parser->problems_capacity,
									sizeof(ManifestProblem));
	problem = &manifest->problems[manifest->n_problems++];
	memset(problem, 0, sizeof(*problem));
	problem->severity = severity;
	problem->line = line;
	if (parser->dataset != NULL)
		problem->dataset = arena_strdup(parser->arena, parser->dataset);
	if (hint != NULL)
		problem->hint = arena_strdup(parser->arena, hint);
	va_start(args, format);
	problem->message = arena_vprintf(parser->arena, format, args);
	va_end(args);
}

/*-------------------------------------------------------------------------
 *
 * schedule_keys.c
 *		When a dataset is refreshed: interval, cron and jitter.
 *
 * Two schedules for one dataset, or a jitter of nothing, leave open what their
 * author meant.  The original runtime ignores one of the settings; here they are
 * refused.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/schedule_keys.h"

#include <string.h>

#include "manifest/check.h"
#include "manifest/cron.h"

/* A jitter without a refresh_jitter_max is this part of the interval. */
#define JITTER_PART		10

/* of file_watcher: how often the files are looked at, in ms */
#define WATCH_INTERVAL	2000

static void
parse_jitter(Parser *parser, DatasetSpec *spec)
{
	const DocNode *block = spec->acceleration;
	const DocNode *enabled = document_given(block, "refresh_jitter_enabled");
	const DocNode *max = document_given(block, "refresh_jitter_max");
	Definition *definition = &spec->definition;

	if (!check_boolean(&keys_of_acceleration, block, "refresh_jitter_enabled", false))
	{
		if (max != NULL && (enabled == NULL || document_is_false(enabled)))
			parse_problem(parser, MANIFEST_ERROR, max->line,
						  "write refresh_jitter_enabled: true, or take it out",
						  "refresh_jitter_max has no effect without refresh_jitter_enabled: true");
		return;
	}
	if (document_given(block, "refresh_check_interval") == NULL)
		parse_problem(parser, MANIFEST_ERROR, enabled->line,
					  "write refresh_check_interval, or take it out",
					  "refresh_jitter_enabled has no effect without refresh_check_interval");
	else if (max == NULL)
		definition->refresh_jitter_max_ms = definition->refresh_check_interval_ms / JITTER_PART;
}

/* A change of a file is noticed by looking: a look at an unchanged list costs next to nothing. */
static void
parse_file_watcher(Parser *parser, DatasetSpec *spec)
{
	const DocNode *watcher = check_value(&keys_of_acceleration_params, spec->acceleration_params,
										 "file_watcher");
	int64_t    *interval = &spec->definition.refresh_check_interval_ms;

	if (watcher == NULL || strcmp(watcher->text, "enabled") != 0)
		return;
	if (!spec_has_connector(spec, "file"))
		parse_problem(parser, MANIFEST_WARNING, watcher->line, "write refresh_check_interval",
					  "file_watcher works for file: only, and has no effect");
	else if (spec->definition.refresh_cron == NULL && (*interval == 0 || *interval > WATCH_INTERVAL))
		*interval = WATCH_INTERVAL;
}

void
schedule_keys_parse(Parser *parser, DatasetSpec *spec)
{
	const DocNode *cron = check_value(&keys_of_acceleration, spec->acceleration, "refresh_cron");

	if (cron != NULL)
	{
		int64_t		seconds = cron_seconds(cron->text);

		spec->definition.refresh_cron = seconds > 0 ? NULL : cron_parse(parser, "refresh_cron", cron);
		if (document_given(spec->acceleration, "refresh_check_interval") != NULL)
			parse_problem(parser, MANIFEST_ERROR, cron->line, "keep one of the two",
						  "refresh_cron contradicts refresh_check_interval");
		else if (seconds > 0)
			spec->definition.refresh_check_interval_ms = seconds * 1000;
	}
	parse_jitter(parser, spec);
	parse_file_watcher(parser, spec);
}

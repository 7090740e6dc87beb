/*-------------------------------------------------------------------------
 *
 * schedule_keys.c
 *		When a dataset is refreshed: interval, cron and jitter.
 *
 * Two schedules for one dataset, or a jitter of nothing, leave open what was
 * meant.  The original runtime settles such a case by leaving out one of the
 * settings; here it is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

/* a jitter without a measure of its own is this part of the interval */
#define JITTER_PART		10

static void
parse_due(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *cron = valid_value(&keys_of_acceleration, block, "refresh_cron");

	spec->refresh_interval_ms =
		valid_duration(&keys_of_acceleration, block, "refresh_check_interval", -1);
	require_positive(parser, block, "refresh_check_interval", spec->refresh_interval_ms);
	if (cron == NULL)
		return;
	spec->refresh_cron = cron_parse(parser, "refresh_cron", cron);
	if (given_value(block, "refresh_check_interval") != NULL)
		parse_problem(parser, MANIFEST_ERROR, cron->line, "keep one of the two",
					  "refresh_cron contradicts refresh_check_interval");
}

static void
parse_jitter(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *enabled = given_value(block, "refresh_jitter_enabled");
	const DocNode *max = given_value(block, "refresh_jitter_max");

	if (!valid_boolean(&keys_of_acceleration, block, "refresh_jitter_enabled", false))
	{
		if (max != NULL && (enabled == NULL || scalar_is_false(enabled)))
			parse_problem(parser, MANIFEST_ERROR, max->line,
						  "write refresh_jitter_enabled: true, or take it out",
						  "refresh_jitter_max has no effect without refresh_jitter_enabled: true");
		return;
	}
	spec->jitter_max_ms = valid_duration(&keys_of_acceleration, block,
										 "refresh_jitter_max", -1);
	require_positive(parser, block, "refresh_jitter_max", spec->jitter_max_ms);
	if (given_value(block, "refresh_check_interval") == NULL)
		parse_problem(parser, MANIFEST_ERROR, enabled->line,
					  "write refresh_check_interval, or take it out",
					  "refresh_jitter_enabled has no effect without refresh_check_interval");
	else if (max == NULL && spec->refresh_interval_ms > 0)
		spec->jitter_max_ms = spec->refresh_interval_ms / JITTER_PART;
}

void
schedule_parse(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	parse_due(parser, block, spec);
	parse_jitter(parser, block, spec);
}

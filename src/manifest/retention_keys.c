/*-------------------------------------------------------------------------
 *
 * retention_keys.c
 *		Which rows of a table are deleted for their age, and when.
 *
 * Retention takes three or four keys to work, and in the original runtime
 * any of them that is missing switches it off in silence, to be found out
 * when the disk is full.  So half a retention is an error here.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

static const char *const rule_keys[] = {
	"retention_period", "retention_sql", "retention_check_interval", "retention_cron"
};

static void
refuse_rules(Parser *parser, const DocNode *block)
{
	for (size_t i = 0; i < sizeof(rule_keys) / sizeof(rule_keys[0]); i++)
	{
		const DocNode *rule = given_value(block, rule_keys[i]);

		if (rule != NULL)
			parse_problem(parser, MANIFEST_ERROR, rule->line,
						  "write retention_check_enabled: true, or take it out",
						  "%s has no effect without retention_check_enabled: true",
						  rule_keys[i]);
	}
}

static void
parse_what(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *period = given_value(block, "retention_period");
	RetentionSpec *retention = &spec->retention;

	retention->period_ms = valid_duration(&keys_of_acceleration, block,
										  "retention_period", -1);
	require_positive(parser, block, "retention_period", retention->period_ms);
	if (period != NULL)
		require_time_column(parser, spec, "retention_period", period->line);
	retention->sql = valid_statement(parser, block, "retention_sql", "DELETE",
									 &retention->sql_line);
	if (period == NULL && given_value(block, "retention_sql") == NULL)
		parse_problem(parser, MANIFEST_ERROR,
					  document_get(block, "retention_check_enabled")->line,
					  "write retention_period: 90d, or a retention_sql",
					  "retention_check_enabled needs retention_period or retention_sql");
}

static void
parse_when(Parser *parser, const DocNode *block, RetentionSpec *retention)
{
	const DocNode *interval = given_value(block, "retention_check_interval");
	const DocNode *given_cron = given_value(block, "retention_cron");
	const DocNode *cron = valid_value(&keys_of_acceleration, block, "retention_cron");

	retention->check_interval_ms = valid_duration(&keys_of_acceleration, block,
												  "retention_check_interval", -1);
	require_positive(parser, block, "retention_check_interval",
					 retention->check_interval_ms);
	if (cron != NULL)
		retention->cron = cron_parse(parser, "retention_cron", cron);
	if (interval == NULL && given_cron == NULL)
		parse_problem(parser, MANIFEST_ERROR,
					  document_get(block, "retention_check_enabled")->line,
					  "write retention_check_interval: 24h",
					  "retention_check_enabled needs retention_check_interval or retention_cron");
	else if (interval != NULL && given_cron != NULL)
		parse_problem(parser, MANIFEST_ERROR, given_cron->line, "keep one of the two",
					  "retention_cron contradicts retention_check_interval");
}

void
retention_parse(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *enabled = given_value(block, "retention_check_enabled");

	if (valid_boolean(&keys_of_acceleration, block, "retention_check_enabled", false))
	{
		parse_what(parser, block, spec);
		parse_when(parser, block, &spec->retention);
	}
	else if (enabled == NULL || scalar_is_false(enabled))
		refuse_rules(parser, block);
}

/*-------------------------------------------------------------------------
 *
 * retention_keys.c
 *		Which rows of a table are deleted for their age, and when.
 *
 * Retention takes three or four keys to work.  In the original runtime a missing
 * one switches it off in silence, which is noticed when the disk is full.  So half
 * a retention is an error here.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/retention_keys.h"

#include "manifest/check.h"
#include "manifest/cron.h"

static const char *const rule_keys[] = {
	"retention_period", "retention_sql", "retention_check_interval", "retention_cron"
};

static void
refuse_rules(Parser *parser, const DocNode *block)
{
	for (size_t i = 0; i < sizeof(rule_keys) / sizeof(rule_keys[0]); i++)
	{
		const DocNode *rule = document_given(block, rule_keys[i]);

		if (rule != NULL)
			parse_problem(parser, MANIFEST_ERROR, rule->line,
						  "write retention_check_enabled: true, or take it out",
						  "%s has no effect without retention_check_enabled: true",
						  rule_keys[i]);
	}
}

static void
parse_rules(Parser *parser, DatasetSpec *spec)
{
	const DocNode *block = spec->acceleration;
	const DocNode *interval = document_given(block, "retention_check_interval");
	const DocNode *given_cron = document_given(block, "retention_cron");
	const DocNode *cron = check_value(&keys_of_acceleration, block, "retention_cron");
	Definition *definition = &spec->definition;
	int			line = document_get(block, "retention_check_enabled")->line;

	definition->retention_sql = spec_statement(parser, spec, "retention_sql", "DELETE",
											   &spec->retention_sql_line);
	if (document_given(block, "retention_period") == NULL &&
		document_given(block, "retention_sql") == NULL)
		parse_problem(parser, MANIFEST_ERROR, line, "write retention_period: 90d, or a retention_sql",
					  "retention_check_enabled needs retention_period or retention_sql");
	if (cron != NULL)
		definition->retention_cron = cron_parse(parser, "retention_cron", cron);
	if (interval == NULL && given_cron == NULL)
		parse_problem(parser, MANIFEST_ERROR, line, "write retention_check_interval: 24h",
					  "retention_check_enabled needs retention_check_interval or retention_cron");
	else if (interval != NULL && given_cron != NULL)
		parse_problem(parser, MANIFEST_ERROR, given_cron->line, "keep one of the two",
					  "retention_cron contradicts retention_check_interval");
}

void
retention_keys_parse(Parser *parser, DatasetSpec *spec)
{
	const DocNode *enabled = document_given(spec->acceleration, "retention_check_enabled");

	if (check_boolean(&keys_of_acceleration, spec->acceleration, "retention_check_enabled", false))
		parse_rules(parser, spec);
	else if (enabled == NULL || document_is_false(enabled))
		refuse_rules(parser, spec->acceleration);
}

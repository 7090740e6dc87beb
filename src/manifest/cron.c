/*-------------------------------------------------------------------------
 *
 * cron.c
 *		Cron expressions of five fields, or of six that begin with seconds.
 *
 * pg_cron, which runs the jobs, reads an expression as the classic cron does: it
 * skips the rest of a field that it does not understand, takes a range that goes
 * down for an empty one, and ignores a step past the end.  Each of these turns a
 * slip into another schedule without a word.  So an expression is accepted only
 * if every byte of it has a meaning and a day exists on which it is due.
 *
 * pg_cron has no field of seconds.  Of six fields the first is left out when it is
 * 0, and every so many seconds all day long is an interval.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/cron.h"

#include <stdint.h>
#include <string.h>

#include "ascii.h"

#define CRON_FIELDS		5
#define CRON_SECONDS	60
#define BLANKS			" \t\r\n"

typedef struct CronField
{
	const char *name;
	int			low;
	int			high;
	const char *words;			/* in order from low, by three letters each, or NULL */
} CronField;

static const CronField fields[CRON_FIELDS] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of the month", 1, 31, NULL},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"day of the week", 0, 7, "sunmontuewedthufrisat"},
};

enum
{
	MONTH_DAY = 2,
	MONTH,
	WEEK_DAY
};

/* the values that one field allows: bit n stands for the value n */
typedef uint64_t CronSet;

/* One or two digits, or a word; NULL when there is neither. */
static const char *
read_value(const CronField *field, const char *p, int *value)
{
	size_t		digits = strspn(p, "0123456789");

	if (digits == 1 || digits == 2)
	{
		*value = digits == 1 ? p[0] - '0' : (p[0] - '0') * 10 + (p[1] - '0');
		return p + digits;
	}
	if (field->words == NULL || digits > 0)
		return NULL;
	for (int i = 0; field->words[i * 3] != '\0'; i++)
	{
		if (ascii_same(field->words + i * 3, p, 3))
		{
			*value = field->low + i;
			return p + 3;
		}
	}
	return NULL;
}

/*
 * Reads "*", a value or a range; "*" and a range may have a step.  Returns NULL
 * with *fault set for any other text.
 */
static const char *
read_item(const CronField *field, const char *p, CronSet *set, const char **fault)
{
	bool		single = false;
	int			first = field->low;
	int			last = field->high;
	int			step = 1;

	*fault = "is not understood";
	if (*p == '*')
		p++;
	else
	{
		p = read_value(field, p, &first);
		if (p == NULL)
			return NULL;
		single = *p != '-';
		last = first;
		if (!single && (p = read_value(field, p + 1, &last)) == NULL)
			return NULL;
	}
	if (*p == '/')
	{
		if (single)
		{
			*fault = "has a step without a range";
			return NULL;
		}
		p = read_value(&fields[0], p + 1, &step);
		if (p == NULL)
			return NULL;
	}
	if (first < field->low || last > field->high)
		*fault = "is out of range";
	else if (first > last)
		*fault = "is a range that goes down";
	else if (step < 1 || step > last - first + 1)
		*fault = "has a step that does not fit into its range";
	else
	{
		for (int i = first; i <= last; i += step)
			*set |= (CronSet) 1 << i;
		return p;
	}
	return NULL;
}

/* Reads a list of items; returns NULL, or what is wrong with it. */
static const char *
read_field(const CronField *field, const char *text, CronSet *set)
{
	const char *fault;

	*set = 0;
	for (const char *p = text;; p++)
	{
		p = read_item(field, p, set, &fault);
		if (p == NULL)
			return fault;
		if (*p == '\0')
			return NULL;
		if (*p != ',')
			return "is not understood";
	}
}

/* The cure for a field: its values, and how they are joined. */
static const char *
field_hint(Parser *parser, const CronField *field)
{
	return arena_printf(parser->arena,
						"the %s goes from %d to %d%s; write *, */2, %d, %d-%d, %d-%d/2 or several of these with commas",
						field->name, field->low, field->high,
						field->words ? ", or by three letters of its English name" : "",
						field->low + 1, field->low + 1, field->high - 1,
						field->low, field->high);
}

/*
 * Whether a month has such a day.  If both the day of the week and the day of the
 * month are restricted, either of them suffices, and the former exists always.
 */
static bool
has_a_day(const CronSet *sets, const char *week_day)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (week_day[0] != '*')
		return true;
	for (int month = 1; month <= 12; month++)
	{
		CronSet		exist = ((CronSet) 1 << (days[month - 1] + 1)) - 1;

		if ((sets[MONTH] >> month & 1) != 0 && (sets[MONTH_DAY] & exist) != 0)
			return true;
	}
	return false;
}

/*
 * Cuts text at its blanks into the five fields, without a field of seconds that is
 * 0.  Returns the number of fields that remain, of which the first few are kept.
 */
static size_t
split_fields(Parser *parser, const char *text, char *parts[CRON_FIELDS + 1])
{
	size_t		count = 0;

	for (const char *p = text + strspn(text, BLANKS); *p != '\0'; count++)
	{
		size_t		length = strcspn(p, BLANKS);

		if (count <= CRON_FIELDS)
			parts[count] = arena_strndup(parser->arena, p, length);
		p += length;
		p += strspn(p, BLANKS);
	}
	if (count != CRON_FIELDS + 1 || strcmp(parts[0], "0") != 0)
		return count;
	memmove(parts, parts + 1, CRON_FIELDS * sizeof(parts[0]));
	return CRON_FIELDS;
}

int
cron_seconds(const char *text)
{
	const char *p = text + strspn(text, BLANKS);
	int			seconds = 1;

	if (strncmp(p, "*/", 2) == 0)
	{
		p = read_value(&fields[0], p + 2, &seconds);
		if (p == NULL || seconds == 0 || CRON_SECONDS % seconds != 0)
			return 0;
	}
	else if (*p++ != '*')
		return 0;
	for (int i = 0; i < CRON_FIELDS; i++)
	{
		size_t		blanks = strspn(p, BLANKS);

		if (blanks == 0 || p[blanks] != '*')
			return 0;
		p += blanks + 1;
	}
	return p[strspn(p, BLANKS)] == '\0' ? seconds : 0;
}

static bool
check_count(Parser *parser, const char *setting, const DocNode *node, size_t count)
{
	const char *excerpt = document_excerpt(parser->arena, node->text);

	if (node->text[strspn(node->text, BLANKS)] == '@')
		parse_problem(parser, MANIFEST_ERROR, node->line,
					  "write five fields, for instance '0 * * * *' for every hour",
					  "%s \"%s\" is a name, and names are not supported", setting, excerpt);
	else if (count == CRON_FIELDS + 1)
		parse_problem(parser, MANIFEST_ERROR, node->line,
					  "write 0 for the seconds, or an interval in place of the expression",
					  "%s \"%s\" asks for seconds of certain minutes, which is not supported",
					  setting, excerpt);
	else if (count != CRON_FIELDS)
		parse_problem(parser, MANIFEST_ERROR, node->line,
					  "write minute, hour, day of the month, month and day of the week, for instance '30 4 * * *'",
					  "%s \"%s\" has not five fields", setting, excerpt);
	return count == CRON_FIELDS;
}

char *
cron_parse(Parser *parser, const char *setting, const DocNode *node)
{
	char	   *parts[CRON_FIELDS + 1];
	CronSet		sets[CRON_FIELDS];

	if (!check_count(parser, setting, node, split_fields(parser, node->text, parts)))
		return NULL;
	for (int i = 0; i < CRON_FIELDS; i++)
	{
		const char *fault = read_field(&fields[i], parts[i], &sets[i]);

		if (fault != NULL)
		{
			parse_problem(parser, MANIFEST_ERROR, node->line,
						  field_hint(parser, &fields[i]),
						  "the %s \"%s\" of %s %s", fields[i].name,
						  document_excerpt(parser->arena, parts[i]), setting, fault);
			return NULL;
		}
	}
	if (!has_a_day(sets, parts[WEEK_DAY]))
	{
		parse_problem(parser, MANIFEST_ERROR, node->line, "choose a day that exists",
					  "%s \"%s\" is never due, since no such month has such a day", setting,
					  document_excerpt(parser->arena, node->text));
		return NULL;
	}
	return arena_printf(parser->arena, "%s %s %s %s %s",
						parts[0], parts[1], parts[2], parts[3], parts[4]);
}

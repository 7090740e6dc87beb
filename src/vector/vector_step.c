/*-------------------------------------------------------------------------
 *
 * vector_step.c
 *		Functions of a point in time that are constant throughout a local day.
 *
 * date_trunc() and the cast to a date are called once for each day that there are rows
 * of, and remembered.  Which day of the session's time zone a point in time belongs to
 * follows from the offset between two changes of the zone's clocks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "vector/vector_step.h"

#define REMEMBERED 4096			/* days; a power of two */
#define OFFSETS 8

/* from <= time < end, in seconds of the epoch, the zone's offset is this */
typedef struct ZoneOffset
{
	pg_time_t	from;
	pg_time_t	end;
	int64		microseconds;
} ZoneOffset;

struct StepFunction
{
	FmgrInfo	function;
	bool		has_unit;
	Datum		unit;
	bool		has_zone;
	bool		gives_date;
	const pg_tz *zone;			/* that the rest is of */
	ZoneOffset	offset[OFFSETS];
	int			offsets;
	int			next_offset;
	int64		days[REMEMBERED];
	int64		results[REMEMBERED];
	bool		known[REMEMBERED];
};

static bool
unit_is_of_days(Node *unit)
{
	static const char *const units[] = {"day", "week", "month", "quarter", "year"};
	char	   *name;

	if (!IsA(unit, Const) || ((Const *) unit)->constisnull)
		return false;
	name = TextDatumGetCString(((Const *) unit)->constvalue);
	for (size_t i = 0; i < lengthof(units); i++)
	{
		if (strcmp(name, units[i]) == 0)
			return true;
	}
	return false;
}

/* the argument that is a point in time, or NULL if the function is not of days */
Expr *
step_argument(Oid function, List *arguments)
{
	switch (function)
	{
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
			return unit_is_of_days(linitial(arguments)) ? lsecond(arguments) : NULL;
		case F_DATE_TIMESTAMPTZ:
		case F_DATE_TIMESTAMP:
			return linitial(arguments);
		default:
			return NULL;
	}
}

StepFunction *
step_make(Oid function, List *arguments)
{
	StepFunction *step = palloc0(sizeof(StepFunction));

	fmgr_info(function, &step->function);
	step->has_unit = list_length(arguments) == 2;
	if (step->has_unit)
		step->unit = castNode(Const, linitial(arguments))->constvalue;
	step->has_zone = function == F_DATE_TRUNC_TEXT_TIMESTAMPTZ || function == F_DATE_TIMESTAMPTZ;
	step->gives_date = function == F_DATE_TIMESTAMPTZ || function == F_DATE_TIMESTAMP;
	return step;
}

static int64
call(StepFunction *step, int64 time)
{
	Datum		result;

	if (step->has_unit)
		result = FunctionCall2(&step->function, step->unit, TimestampTzGetDatum(time));
	else
		result = FunctionCall1(&step->function, TimestampTzGetDatum(time));
	return step->gives_date ? DatumGetInt32(result) : DatumGetInt64(result);
}

/* the zone's offset at a time, and until when it is that */
static ZoneOffset
ask_offset(pg_time_t time)
{
	ZoneOffset	offset = {.from = time, .end = PG_INT64_MAX};
	long		before,
				after;
	int			before_summer,
				after_summer;
	pg_time_t	boundary;
	int			found = pg_next_dst_boundary(&time, &before, &before_summer, &boundary, &after,
											 &after_summer,
											 session_timezone);

	if (found < 0)
		offset.end = time;
	else if (found > 0)
		offset.end = boundary;
	offset.microseconds = found < 0 ? 0 : before * USECS_PER_SEC;
	return offset;
}

static const ZoneOffset *
find_offset(StepFunction *step, pg_time_t time)
{
	ZoneOffset	offset;

	for (int i = 0; i < step->offsets; i++)
	{
		if (time >= step->offset[i].from && time < step->offset[i].end)
			return &step->offset[i];
	}
	offset = ask_offset(time);
	if (offset.end == time)
		return NULL;
	for (int i = 0; i < step->offsets; i++)
	{
		/* the same stretch of time, from earlier on */
		if (step->offset[i].end == offset.end)
		{
			step->offset[i].from = Min(step->offset[i].from, time);
			return &step->offset[i];
		}
	}
	step->next_offset = (step->next_offset + 1) % OFFSETS;
	if (step->offsets < OFFSETS)
		step->next_offset = step->offsets++;
	step->offset[step->next_offset] = offset;
	return &step->offset[step->next_offset];
}

static int64
floor_divide(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

static pg_time_t
to_epoch(int64 time)
{
	return floor_divide(time,
						USECS_PER_SEC) + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

static int64
value_of_day(StepFunction *step, int64 day, int64 time)
{
	int			place = day & (REMEMBERED - 1);

	if (!step->known[place] || step->days[place] != day)
	{
		step->results[place] = call(step, time);
		step->days[place] = day;
		step->known[place] = true;
	}
	return step->results[place];
}

static void
forget(StepFunction *step)
{
	step->zone = session_timezone;
	step->offsets = 0;
	memset(step->known, 0, sizeof(step->known));
}

void
step_values(StepFunction *step, int count, const Vector *times, int64 *out)
{
	const ZoneOffset *offset = NULL;

	if (step->has_zone && step->zone != session_timezone)
		forget(step);
	for (int i = 0; i < count; i++)
	{
		int64		time = times->integers[i];
		int64		local = time;

		if (times->nulls && times->nulls[i])
		{
			out[i] = 0;
			continue;
		}
		if (step->has_zone && !TIMESTAMP_NOT_FINITE(time))
		{
			pg_time_t	epoch = to_epoch(time);

			if (offset == NULL || epoch < offset->from || epoch >= offset->end)
				offset = find_offset(step, epoch);
			local = time + (offset ? offset->microseconds : 0);
		}
		if (TIMESTAMP_NOT_FINITE(time) || (step->has_zone && offset == NULL))
			out[i] = call(step, time);
		else
			out[i] = value_of_day(step, floor_divide(local, USECS_PER_DAY), time);
	}
}

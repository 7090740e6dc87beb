# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/schedule.sh
#	What the schedule costs at rest, and whether it keeps up: 100 datasets that need no
#	refresh, and 100 small ones that are due every second, with two workers.  To be sourced.
#
# A refresh is due refresh_check_interval after the end of the one before.  Late is what
# starts after that; one that is due and has not started when a window ends is as late as
# it is then.  A dataset meets its interval when no refresh of it is later than a tenth of
# the interval, which is what refresh_jitter_max takes for little, too.

datasets=100
window=6 # seconds, in each run
tenth_of_interval=0.1

# many PATH INTERVAL: that many datasets
many()
{
	local number

	for ((number = 1; number <= datasets; number++)); do
		dataset "small_$number" "$1" "refresh_check_interval: $2"
	done
}

# Waits until every dataset has been loaded since it got the definition it has.
wait_loaded()
{
	for _ in {1..1500}; do
		if [ "$(query --command="SELECT count(*) FROM spice_catalog.dataset WHERE applied = definition AND loaded IS NOT NULL")" -eq $datasets ]; then
			return
		fi
		sleep 0.2
	done
	echo 'the datasets were not all loaded within five minutes' >&2
	query --command='SELECT status, last_error, count(*) FROM spice.datasets GROUP BY 1, 2' >&2
	return 1
}

# What the process has used of a processor, in seconds
used()
{
	awk '{ print $1 / 1e9 }' "/proc/$1/schedstat"
}

# measure_idle NAME
measure_idle()
{
	local launcher before run

	launcher=$(query --command="SELECT pid FROM pg_stat_activity WHERE backend_type = 'spice launcher'")
	for ((run = 1; run <= RUNS; run++)); do
		before=$(used "$launcher")
		sleep $window
		note "$1" "$(awk -v a="$before" -v b="$(used "$launcher")" -v s=$window 'BEGIN { printf "%.2f", (b - a) / s * 3600 }')"
	done
}

# lateness FROM: "LATEST MEDIAN MISSED REFRESHES" from that time till now: ms, ms, the number
# of datasets that did not meet their interval, and refreshes per second
lateness()
{
	query --field-separator=' ' --command="
		WITH span AS (SELECT timestamptz '$1' AS since, clock_timestamp() AS till),
		refresh AS (
			SELECT dataset, started,
				lag(finished) OVER (PARTITION BY dataset ORDER BY id) + interval '1 s' AS due,
				finished, row_number() OVER (PARTITION BY dataset ORDER BY id DESC) = 1 AS newest
			FROM spice_catalog.refresh_history, span WHERE started >= since - interval '1 min'),
		start AS (
			SELECT dataset, extract(epoch FROM started - due) AS late, true AS counts
			FROM refresh, span WHERE started >= since AND due IS NOT NULL
			UNION ALL
			SELECT dataset, extract(epoch FROM till - finished) - 1, false
			FROM refresh, span WHERE newest AND finished < till - interval '1 s')
		SELECT round(max(late) * 1000, 1),
			round((percentile_cont(0.5) WITHIN GROUP (ORDER BY late) FILTER (WHERE counts))::numeric * 1000, 1),
			(SELECT count(*) FROM (SELECT dataset FROM start GROUP BY dataset HAVING max(late) > $tenth_of_interval) d)
				+ $datasets - count(DISTINCT dataset),
			round(count(*) FILTER (WHERE counts) / extract(epoch FROM max(till - since)), 1)
		FROM start, span"
}

# measure_busy NAME OUTCOME: of a schedule whose refreshes all have that outcome
measure_busy()
{
	local run since from latest middle missing rate

	sleep 3
	since=$(query --command='SELECT clock_timestamp()')
	for ((run = 1; run <= RUNS; run++)); do
		from=$(query --command='SELECT clock_timestamp()')
		sleep $window
		read -r latest middle missing rate < <(lateness "$from")
		note "schedule.$1.latest" "$latest"
		note "schedule.$1.median" "$middle"
		note "schedule.$1.missing" "$missing"
		note "schedule.$1.rate" "$rate"
	done
	if [ "$(query --command="SELECT DISTINCT outcome FROM spice.refreshes
		WHERE started >= '$since' AND outcome <> 'running'")" != "$2" ]; then
		echo "$1: not every refresh was $2" >&2
		return 1
	fi
}

report_busy()
{
	row "$2: late, half of the refreshes at most" ms "schedule.$1.median"
	row "$2: late, the latest" ms "schedule.$1.latest"
	row "$2: refreshes per second" '' "schedule.$1.rate"
	row "$2: datasets that miss their interval" '' "schedule.$1.missing" most 0
}

part_schedule()
{
	need few
	server 'spice.max_refresh_workers = 2' "autovacuum_naptime = '1min'"
	many few.json 1h | manifest
	reload
	wait_loaded
	sleep 2
	measure_idle schedule.idle
	many few.json 1s | manifest
	reload
	wait_loaded
	measure_busy same unchanged
	many moving.json 1s | manifest
	reload
	wait_loaded
	measure_busy other loaded

	heading "the schedule: $datasets datasets of 100 records, spice.max_refresh_workers = 2, autovacuum_naptime = 1min; windows of $window s"
	row 'the launcher at rest, per hour' s schedule.idle median 1
	report_busy same 'every 1 s, 304'
	report_busy other 'every 1 s, changed'
}

# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/growth.sh
#	What many datasets cost: the first load of them all, and the launcher while none of them
#	is due.  To be sourced after schedule.sh, whose functions it uses.
#
# The datasets have 100 records each.  Windows in which the launcher rests are as long as
# three of its looks at the catalog.

growth_sizes='10 100 1000 5000'

measure_growth()
{
	local begin

	datasets=$1
	server 'spice.max_refresh_workers = 2' "autovacuum_naptime = '1min'"
	many few.json 1h | manifest
	begin=$(date +%s%N)
	query --output=/dev/null --command='SELECT spice_reload()'
	wait_loaded
	note "growth.load.$1" "$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN { printf "%.1f", ns / 1e9 }')"
	sleep 6
	measure_idle "growth.rest.$1"
}

part_growth()
{
	local datasets window=15 size RUNS=1

	need few
	for size in $growth_sizes; do
		measure_growth "$size"
	done
	heading 'many datasets of 100 records, spice.max_refresh_workers = 2'
	row 'first load of 5000 datasets' s growth.load.5000 most 30
	row 'first load of 1000 datasets' s growth.load.1000
	row 'the launcher at rest, per hour, 10 datasets' s growth.rest.10 most 1
	row 'the launcher at rest, per hour, 100 datasets' s growth.rest.100 most 1
	row 'the launcher at rest, per hour, 1000 datasets' s growth.rest.1000 most 2
	row 'the launcher at rest, per hour, 5000 datasets' s growth.rest.5000 most 5
}

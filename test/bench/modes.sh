# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/modes.sh
#	mode file, a logged table, in relation to mode memory, with wal_level minimal: then the
#	rows need not be in the log, but they must be on the disk.  To be sourced.

part_modes()
{
	local run mode

	need all
	server 'wal_level = minimal' 'max_wal_senders = 0'
	{
		dataset products_memory all.json 'mode: memory'
		dataset products_file all.json 'engine: duckdb' 'mode: file'
	} | manifest
	reload
	for ((run = 1; run <= RUNS; run++)); do
		for mode in memory file; do
			settle
			note "modes.$mode" "$(printf '%s\n' "SELECT 'warm';" '\timing on' "SELECT spice_refresh('products_$mode');" | timed)"
		done
	done
	same_rows "$ROWS" products_memory products_file
	check_loaded

	heading "refresh of $ROWS records by mode; wal_level = minimal, max_wal_senders = 0, fsync = $(query --command='SHOW fsync')"
	row 'mode memory (unlogged)' ms modes.memory
	row 'mode file (logged)' ms modes.file
	ratio 'in relation to mode memory' modes.file modes.memory 1.3
}

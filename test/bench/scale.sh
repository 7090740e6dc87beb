# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/scale.sh
#	Refreshes of ROWS/10, ROWS and 10 * ROWS records: time per record and memory.  To be
#	sourced.
#
# Memory is watched while they are timed.  That takes some time from them, as much of
# each: these times are for the relation to each other, those against others are full.sh's.
# What is watched, and what it counts as, stands in peak.

# watched SQL: runs it in a session of its own; "MILLISECONDS PRIVATE RESIDENT", in MB
watched()
{
	local out=$work/tmp/peak ms

	rm -f "$out"
	# \gset sets what psql knows, \setenv what its shell does; what is there before
	# the statement counts as idle, and a first query has loaded the catalogs
	ms=$(timed <<-END
		SELECT pg_backend_pid() AS pid \\gset
		\\setenv PID :pid
		\\! "$here/bench/peak" \$PID "$out"
		\\timing on
		$1
	END
	)
	for _ in {1..100}; do
		if [ -e "$out" ]; then
			echo "$ms $(cat "$out")"
			return
		fi
		sleep 0.1
	done
	return 1
}

part_scale()
{
	local run size ms private resident

	need tenth all ten
	server
	for size in tenth all ten; do
		dataset "products_$size" "$size.json"
	done | manifest
	reload
	for ((run = 1; run <= RUNS; run++)); do
		for size in tenth all ten; do
			settle
			read -r ms private resident < <(watched "SELECT spice_refresh('products_$size');")
			note "scale.$size.us" "$(awk -v ms="$ms" -v rows="${rows[$size]}" 'BEGIN { printf "%.4f", ms * 1000 / rows }')"
			note "scale.$size.private" "$private"
			note "scale.$size.resident" "$resident"
		done
	done
	same_rows "$ROWS" products_all
	if [ "$(query --command='SELECT count(*) FROM products_ten')" -ne $((ROWS * 10)) ]; then
		echo 'products_ten has lost rows' >&2
		return 1
	fi
	check_loaded

	heading "refreshes of $((ROWS / 10)), $ROWS and $((ROWS * 10)) records ($(megabytes tenth.json), $(megabytes all.json), $(megabytes ten.json) MB of JSON)"
	for size in tenth all ten; do
		row "time per record, ${rows[$size]} records" us "scale.$size.us"
	done
	ratio "${rows[ten]} records in relation to ${rows[tenth]}" scale.ten.us scale.tenth.us 1.15
	# what a refresh costs whatever its size weighs less on this one
	ratio "${rows[ten]} records in relation to ${rows[all]}" scale.ten.us scale.all.us
	for size in tenth all ten; do
		row "private memory over idle, ${rows[$size]} records" MB "scale.$size.private" most 64
	done
	ratio "${rows[ten]} records in relation to ${rows[tenth]}" scale.ten.private scale.tenth.private 1.25
	for size in tenth all ten; do
		row "resident memory over idle, ${rows[$size]} records" MB "scale.$size.resident"
	done
}

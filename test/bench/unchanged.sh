# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/unchanged.sh
#	What a refresh costs whose source answers 304 Not Modified: the time beyond the
#	conditional request itself, and what it writes.  To be sourced.

unchanged_tries=20 # in each run, whose median counts

# ROUND TRIP: the same request by curl, in ms from its start to its end
round_trip()
{
	local try etag

	etag=$(query --command="SELECT etag FROM spice_catalog.dataset")
	for ((try = 1; try <= unchanged_tries; try++)); do
		curl --silent --output /dev/null --header "If-None-Match: $etag" \
			--write-out '%{http_code} %{time_total}\n' "$url/all.json"
	done | awk '$1 == 304 { print $2 * 1000 }'
}

# The same by as many refreshes in one session, after one that is not counted.
unchanged_refreshes()
{
	local try

	{
		echo "SELECT spice_refresh('products');"
		printf '%s\n' '\timing on'
		for ((try = 1; try <= unchanged_tries; try++)); do
			echo "SELECT spice_refresh('products');"
		done
	} | timed
}

# For comparison, what the server needs for any transaction that writes one row.
one_row()
{
	local try

	{
		printf '%s\n' 'INSERT INTO one_row VALUES (0);' '\timing on'
		for ((try = 1; try <= unchanged_tries; try++)); do
			echo "INSERT INTO one_row VALUES ($try);"
		done
	} | timed
}

# What one refresh writes into the log: "BYTES OTHERS", the latter the records that are
# about anything but the history and its own commit.  What the server's housekeeping
# writes meanwhile is not the refresh's.
written()
{
	local lsn

	lsn=$(query --command='SELECT pg_current_wal_insert_lsn()')
	query --output=/dev/null --command="SELECT spice_refresh('products')"
	query --command="CREATE TEMPORARY TABLE written AS
		SELECT resource_manager, record_type, record_length,
			COALESCE((SELECT string_agg(DISTINCT pg_filenode_relation(0, node[1]::oid)::regclass::text, ', ')
				FROM regexp_matches(block_ref, 'rel [0-9]+/[0-9]+/([0-9]+)', 'g') node), '') AS relations
		FROM pg_get_wal_records_info('$lsn', pg_current_wal_flush_lsn())
		WHERE resource_manager NOT IN ('Standby', 'XLOG')" \
		--command="ALTER TABLE written ADD other boolean;
			UPDATE written SET other = resource_manager <> 'Transaction' AND relations !~ '^spice_catalog.refresh_history[a-z_]*$'" \
		--field-separator=' ' \
		--command='SELECT sum(record_length), count(*) FILTER (WHERE other) FROM written' \
		--command="\\o $work/tmp/others" \
		--command="SELECT string_agg(DISTINCT resource_manager || ' ' || record_type || ' (' || relations || ')', ', ') FROM written WHERE other"
}

part_unchanged()
{
	local run bytes others spent base

	need all
	server
	dataset products all.json | manifest
	reload
	query --command='CREATE EXTENSION pg_walinspect' \
		--command='CREATE TABLE one_row (number integer)'
	for ((run = 1; run <= RUNS; run++)); do
		query --command='CHECKPOINT'
		base=$(round_trip | summary | cut -d ' ' -f 2)
		spent=$(unchanged_refreshes | summary | cut -d ' ' -f 2)
		note unchanged.round_trip "$base"
		note unchanged.refresh "$spent"
		note unchanged.one_row "$(one_row | summary | cut -d ' ' -f 2)"
		note unchanged.over "$(awk -v a="$spent" -v b="$base" 'BEGIN { printf "%.3f", a - b }')"
		read -r bytes others < <(written)
		note unchanged.bytes "$bytes"
		note unchanged.others "$others"
	done
	if [ "$(query --command="SELECT count(*) FROM spice.refreshes WHERE outcome = 'unchanged' AND http_status = 304")" -ne \
		$((RUNS * (unchanged_tries + 2))) ]; then
		echo 'not every refresh was answered 304' >&2
		return 1
	fi

	heading "an unchanged source of $ROWS records (304), $unchanged_tries times in each run"
	row 'the conditional request alone, by curl' ms unchanged.round_trip
	row 'INSERT of one row, committed' ms unchanged.one_row
	row 'refresh' ms unchanged.refresh
	row 'refresh, over the request' ms unchanged.over median 5
	row 'write-ahead log of one refresh' bytes unchanged.bytes
	row 'records in it that are not about the history' '' unchanged.others most 0
	if [ -n "$(cat "$work/tmp/others")" ]; then
		printf '    %s\n' "$(cat "$work/tmp/others")"
	fi
}

# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/changes.sh
#	What is to cost the same whatever the table holds: 1,000 changed records that arrive
#	in a table with a key (refresh_mode append, upsert) of ROWS/100, ROWS/10 and ROWS rows,
#	from a source that is told the watermark and sends no more than that.  To be sourced.

change_runs=$((RUNS * 3)) # they are short, and differ more than the long ones

# append SIZE: the dataset that changes arrive in
append()
{
	cat <<-END
		  - from: $url/items_$1
		    name: items_$1
		    time_column: updated_at
		    params: {client_timeout: 1h}
		    acceleration:
		      enabled: true
		      engine: duckdb
		      mode: file
		      refresh_mode: append
		      primary_key: id
		      on_conflict: {id: upsert}
		      params: {http_append_query: "since={watermark}"}
	END
}

# news SIZE ROWS RUN: what has come since the watermark, which is the newest record
# itself and 1,000 changes: 100 new records, and 900 all over the table, others each time
news()
{
	as_postgres python3 -c '
import json, sys
sys.path.insert(0, "test")
import server
path, count, run = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def changed(number, run):
    record = json.loads(server.product(number, run, server.CATEGORIES))
    return {**record, "updated_at": f"2026-01-01T00:{run // 60:02d}:{run % 60:02d}Z"}
step = count / 900
numbers = sorted({int(i * step + run % max(step, 1)) for i in range(900)})
numbers += range(count + 100 * (run - 1), count + 100 * run)
last = [changed(count + 100 * (run - 1) - 1, run - 1)] if run > 1 else []
with open(path, "w") as out:
    json.dump(last + [changed(number, run) for number in numbers], out)' "$work/www/news_$1.json" "$2" "$3"
}

# change SIZE: lets the changes arrive; "WHOLE MERGE", both in ms
change()
{
	query <<-END | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p; s/^merge //p' | paste --serial --delimiters=' '
		SELECT 'warm';
		\\timing on
		SELECT spice_refresh('items_$1');
		\\timing off
		SELECT 'merge ' || extract(epoch FROM swap_time) * 1000 FROM spice.refreshes LIMIT 1;
	END
}

# what the table, its indexes and its rows' versions are
pages()
{
	query --command="SELECT md5(string_agg(ctid || xmin::text || xmax, ' ' ORDER BY ctid)) || pg_total_relation_size('items_$1')
		FROM items_$1"
}

# Nothing new: the same news again, without validators, so that neither they nor an
# empty response are what keeps the table as it is.
measure_nothing()
{
	local before lsn

	before=$(pages all)
	query --command="$forget"
	lsn=$(query --command='CHECKPOINT' --command='SELECT pg_current_wal_lsn()')
	query --output=/dev/null --command="SELECT spice_refresh('items_all')"
	note changes.nothing "$(query --command="SELECT count(*) FROM pg_get_wal_records_info('$lsn', pg_current_wal_flush_lsn()),
		LATERAL (SELECT array_agg(pg_relation_filenode(oid)::text) AS nodes FROM pg_class
			WHERE oid = 'items_all'::regclass OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'items_all'::regclass)) n
		WHERE block_ref ~ ('rel [0-9]+/[0-9]+/(' || array_to_string(nodes, '|') || ')[^0-9]')")"
	if [ "$(pages all)" != "$before" ]; then
		echo 'nothing was new, but rows have other versions than before' >&2
		return 1
	fi
}

part_changes()
{
	local run size whole merge

	need hundredth tenth all
	server
	for size in hundredth tenth all; do
		append $size
	done | manifest
	reload
	query --command='CREATE EXTENSION pg_walinspect'
	query --command='CHECKPOINT'
	# the first run is not counted: it meets pages that nobody has in memory
	for ((run = 1; run <= change_runs + 1; run++)); do
		for size in hundredth tenth all; do
			news $size "${rows[$size]}" $run
			read -r whole merge < <(change $size)
			if [ $run -gt 1 ]; then
				note "changes.$size" "$whole"
				note "changes.$size.merge" "$merge"
			fi
		done
	done
	check_loaded
	measure_nothing

	heading "1,000 changed records into a logged table with a key and an index of the time; $change_runs times"
	for size in hundredth tenth all; do
		row "append refresh, ${rows[$size]} rows" ms "changes.$size"
	done
	ratio "${rows[all]} rows in relation to ${rows[hundredth]}" changes.all changes.hundredth 2
	for size in hundredth tenth all; do
		if [ $size = all ]; then
			row "merge alone, ${rows[$size]} rows" ms "changes.$size.merge" median 50
		else
			row "merge alone, ${rows[$size]} rows" ms "changes.$size.merge"
		fi
	done
	row 'records of write-ahead log about the table, nothing new' '' changes.nothing most 0
}

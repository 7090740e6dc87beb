# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/merge.sh
#	A whole new version of a table with two indexes of which nothing, one row in a hundred,
#	or every row has changed, three ways.  To be sourced.
#
#	merge			full refresh of a table that is in a publication
#	swap			full refresh of one that is not
#	concurrently	REFRESH MATERIALIZED VIEW CONCURRENTLY, of a table that has the rows already
#
# The bar is about nothing changed, in which merge and swap are measured RUNS times.  What takes
# minutes is measured once: concurrently, and from one version to one of which every
# hundredth row is another, and from that to one of which each row is.  Before each the dead
# rows of the one before are vacuumed.

# version FILE SEED OTHER: of every hundredth record the seed is another
version()
{
	as_postgres python3 -c '
import sys
sys.path.insert(0, "test")
import server
path, count, seed, other = sys.argv[1], *map(int, sys.argv[2:])
with open(path, "w") as out:
    for n in range(count):
        out.write(",\n" if n else "[")
        out.write(server.product(n, other if n % 100 == 50 else seed, server.CATEGORIES))
    out.write("]\n")' "$work/www/$1.json" "$ROWS" "$2" "$3"
}

prepare_merge()
{
	query --output=/dev/null <<-END
		CREATE PUBLICATION bench FOR TABLE merged;
		CREATE UNLOGGED TABLE base AS TABLE swapped;
		CREATE MATERIALIZED VIEW viewed AS TABLE base;
		CREATE UNIQUE INDEX ON viewed (id);
		CREATE INDEX ON viewed (sku);
	END
}

# new_version FILE: what the source gives from now on, and the table behind the view has
new_version()
{
	ln --symbolic --force "$1.json" "$work/www/current.json"
	query --output=/dev/null <<-END
		SET client_min_messages = error;
		$forget;
		SELECT spice_refresh('swapped');
		BEGIN;
		TRUNCATE base;
		INSERT INTO base TABLE swapped;
		COMMIT;
		VACUUM ANALYZE base, merged, viewed;
	END
}

merging()
{
	case $1 in
		merge) echo "SELECT spice_refresh('merged')" ;;
		swap) echo "SELECT spice_refresh('swapped')" ;;
		concurrently) echo 'REFRESH MATERIALIZED VIEW CONCURRENTLY viewed' ;;
	esac
}

# merge_version SHARE WAY...: times it in these ways, and notes the write-ahead log of each in MB
merge_version()
{
	local lsn way

	for way in "${@:2}"; do
		settle
		lsn=$(query --command='SELECT pg_current_wal_lsn()')
		note "merge.$1.$way" "$(timed <<<"\\timing on
$(merging "$way");")"
		note "merge.$1.$way.wal" "$(query --command="SELECT round((pg_current_wal_lsn() - '$lsn') / 1e6, 3)")"
	done
}

part_merge()
{
	local run way share

	need all
	version all_percent 0 1
	version other 2 2
	ln --symbolic --force all.json "$work/www/current.json"
	server 'wal_level = logical'
	query --command='CREATE EXTENSION pgstattuple'
	for way in merged swapped; do
		dataset $way current.json 'engine: duckdb' 'mode: file' 'primary_key: id' 'indexes: {sku: enabled}'
	done | manifest
	reload
	prepare_merge
	for ((run = 1; run <= RUNS; run++)); do
		new_version all
		merge_version nothing merge swap
		note merge.dead "$(query --command="SELECT dead_tuple_count FROM pgstattuple('merged')")"
	done
	new_version all
	merge_version nothing concurrently
	new_version all_percent
	merge_version percent merge swap concurrently
	new_version other
	merge_version every merge swap concurrently
	same_rows "$ROWS" merged swapped viewed
	check_loaded

	heading "a new version of $ROWS rows with two indexes, logged, wal_level = logical"
	row 'nothing has changed: merge, HTTP included' ms merge.nothing.merge median 4000
	row 'dead rows after it' '' merge.dead most 0
	row 'swap, HTTP included' ms merge.nothing.swap
	row 'REFRESH MATERIALIZED VIEW CONCURRENTLY' ms merge.nothing.concurrently
	row '1 row in 100 has changed: merge' ms merge.percent.merge
	row 'swap' ms merge.percent.swap
	row 'REFRESH MATERIALIZED VIEW CONCURRENTLY' ms merge.percent.concurrently
	row 'every row has changed: merge' ms merge.every.merge
	row 'swap' ms merge.every.swap
	row 'REFRESH MATERIALIZED VIEW CONCURRENTLY' ms merge.every.concurrently
	for share in nothing percent every; do
		for way in merge swap concurrently; do
			row "write-ahead log, $share changed: $way" MB "merge.$share.$way.wal"
		done
	done
}

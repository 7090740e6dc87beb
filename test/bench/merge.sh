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
# There are two versions of all rows, of seeds 0 and 2, and of each one in which every
# hundredth row is another; the source goes round.  Before each measurement the dead rows of
# the one before are vacuumed.

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
		SELECT spice_refresh('merged'), spice_refresh('swapped');
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

# merge_version SHARE WAY: times one, and notes its write-ahead log in MB
merge_version()
{
	local lsn

	settle
	lsn=$(query --command='SELECT pg_current_wal_lsn()')
	note "merge.$1.$2" "$(timed <<<"\\timing on
$(merging "$2");")"
	note "merge.$1.$2.wal" "$(query --command="SELECT round((pg_current_wal_lsn() - '$lsn') / 1e6, 3)")"
}

part_merge()
{
	local run from to share way

	need all
	version all_percent 0 1
	version other 2 2
	version other_percent 2 3
	ln --symbolic --force all.json "$work/www/current.json"
	server 'wal_level = logical'
	query --command='CREATE EXTENSION pgstattuple'
	for way in merged swapped; do
		dataset $way current.json 'engine: duckdb' 'mode: file' 'primary_key: id' 'indexes: {sku: enabled}'
	done | manifest
	reload
	prepare_merge
	for ((run = 1; run <= RUNS; run++)); do
		from=all to=other
		if [ $((run % 2)) -eq 0 ]; then
			from=other to=all
		fi
		for share in nothing percent every; do
			case $share in
				nothing) new_version $from ;;
				percent) new_version ${from}_percent ;;
				every) new_version $to ;;
			esac
			for way in merge swap concurrently; do
				merge_version $share $way
			done
			if [ $share = nothing ]; then
				note merge.dead "$(query --command="SELECT dead_tuple_count FROM pgstattuple('merged')")"
			fi
		done
	done
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

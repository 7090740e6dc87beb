# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/full.sh
#	ROWS records into an unlogged table without indexes: by a refresh, over HTTP, from
#	JSON and from CSV, and by what else would bring them there.  To be sourced.
#
#	copy		COPY FROM a CSV file with FREEZE into a table that was just truncated:
#				the fastest way that PostgreSQL has, over a file that is half as long
#	alone		the refresh from JSON by one process, as where no second processor is idle
#	populate	INSERT ... SELECT FROM json_populate_recordset over the same JSON text,
#				read from a file: the usual way in SQL, and the fetching is a gift
#	duckdb		CREATE TABLE AS SELECT * FROM read_json_auto in process, over the same
#				JSON text in a file
#
# A refresh includes the fetch, ANALYZE, the swap and the row of history.  All are
# measured by turns, so that a machine that is busy for a while is so for all of them;
# each starts after a checkpoint and a sync, in a session of its own.

# The tables of the ways that are not spice's, like that of dataset products
rivals()
{
	query --command='CREATE UNLOGGED TABLE copied (LIKE products)' \
		--command='CREATE UNLOGGED TABLE populated (LIKE products)'
}

# statement WAY: what is measured, one message to the server
statement()
{
	case $1 in
		json) echo "SELECT spice_refresh('products');" ;;
		alone) printf '%s\n' '\timing off' 'SET max_parallel_workers_per_gather = 0;' '\timing on' "$(statement json)" ;;
		csv) echo "SELECT spice_refresh('products_csv');" ;;
		copy)
			echo "BEGIN\\; TRUNCATE copied\\;" \
				"COPY copied FROM '$work/www/all.csv' (FORMAT csv, HEADER, FREEZE)\\; COMMIT;"
			;;
		populate)
			echo "BEGIN\\; TRUNCATE populated\\; INSERT INTO populated SELECT * FROM" \
				"json_populate_recordset(NULL::populated, pg_read_file('$work/www/all.json')::json)\\; COMMIT;"
			;;
	esac
}

# measure WAY: milliseconds
measure()
{
	settle
	if [ "$1" = duckdb ]; then
		duckdb
	else
		timed <<-END
			SELECT 'warm';
			\\timing on
			$(statement "$1")
		END
	fi
}

# Installs DuckDB for node below $work.  It is somebody else's registry: when it does
# not answer, the benchmark goes on, and says so.
install_duckdb()
{
	duckdb_missing=
	if ! timeout 180 npm install --prefix "$work/duckdb" --no-audit --no-fund --ignore-scripts \
		--loglevel=error @duckdb/node-api >"$work/log/npm" 2>&1; then
		duckdb_missing="npm could not install @duckdb/node-api"
	elif ! duckdb >"$work/log/duckdb" 2>&1; then
		duckdb_missing="it does not run here: $(tail -n 1 "$work/log/duckdb")"
	fi
}

# Milliseconds; fails when DuckDB has other rows than it should.
duckdb()
{
	local took count

	read -r took count duckdb_version < <(node "$here/bench/duckdb.mjs" "$work/duckdb" "$work/www/all.json")
	echo "$duckdb_version" >"$work/tmp/duckdb.version"
	[ "$count" -eq "$ROWS" ] && echo "$took"
}

# Why the refresh of CSV cannot be measured; empty when it can
csv_problem()
{
	query --command="SELECT 'spice does not read CSV: ' || manifest_error FROM spice_catalog.dataset
		WHERE name = 'products_csv' AND manifest_error IS NOT NULL"
}

part_full()
{
	local run way ways=(json alone copy populate) csv_missing

	need all
	server
	dataset products all.json | manifest
	reload
	rivals
	csv products
	{
		dataset products all.json
		params='file_format: csv' dataset products_csv all.csv
	} | manifest
	reload
	csv_missing=$(csv_problem)
	if [ -z "$csv_missing" ]; then
		ways+=(csv)
	fi
	install_duckdb
	if [ -z "$duckdb_missing" ]; then
		ways+=(duckdb)
	fi

	for ((run = 1; run <= RUNS; run++)); do
		for way in "${ways[@]}"; do
			note "full.$way" "$(measure "$way")"
		done
	done
	# once, after the clock has stopped; that of refreshes is scale.sh's
	for way in copy populate; do
		settle
		note "full.$way.private" "$(watched "$(statement "$way")" | cut -d ' ' -f 2)"
	done
	same_rows "$ROWS" products copied populated
	if [ -z "$csv_missing" ]; then
		same_rows "$ROWS" products products_csv
	fi
	check_loaded
	report_full
}

report_full()
{
	heading "$ROWS records into an unlogged table without indexes ($(megabytes all.json) MB of JSON, $(megabytes all.csv) MB of CSV)"
	row 'COPY of CSV, FREEZE, server-side file' ms full.copy
	row 'INSERT ... json_populate_recordset, server-side file' ms full.populate
	if [ -z "$duckdb_missing" ]; then
		row "DuckDB $(cat "$work/tmp/duckdb.version"), CREATE TABLE AS ... read_json_auto, 2 threads" ms full.duckdb
	else
		not_measured 'DuckDB, CREATE TABLE AS ... read_json_auto' "$duckdb_missing"
	fi
	row 'refresh from JSON, HTTP included' ms full.json
	ratio 'in relation to COPY' full.json full.copy 0.40
	row 'the same, max_parallel_workers_per_gather = 0' ms full.alone
	ratio 'in relation to COPY' full.alone full.copy
	ratio 'in relation to json_populate_recordset' full.json full.populate 0.09
	if [ -z "$duckdb_missing" ]; then
		ratio 'in relation to DuckDB' full.json full.duckdb 0.8
	else
		not_measured '  in relation to DuckDB' "$duckdb_missing" 0.8
	fi
	if [ -z "$csv_missing" ]; then
		row 'refresh from CSV, HTTP included' ms full.csv
		ratio 'in relation to COPY' full.csv full.copy 1.0
	else
		not_measured 'refresh from CSV, HTTP included, in relation to COPY' "$csv_missing" 1.0
	fi
	row 'private memory over idle, COPY' MB full.copy.private
	row 'private memory over idle, json_populate_recordset' MB full.populate.private
	query --field-separator=', ' --command="SELECT '  phases of the last refresh from JSON, s: fetch ' || round(extract(epoch FROM fetch_time), 2),
		'load ' || round(extract(epoch FROM load_time), 2),
		'analyze ' || round(extract(epoch FROM index_time), 2),
		'swap ' || round(extract(epoch FROM swap_time), 3)
		FROM spice.refreshes WHERE dataset = 'products' LIMIT 1"
}

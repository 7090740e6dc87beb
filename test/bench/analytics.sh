# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/analytics.sh
#	The queries of analytics.txt over ROWS and 10 * ROWS products with a column index,
#	beside DuckDB over a database in a file, with two threads, and beside PostgreSQL
#	without the index.  To be sourced.
#
# All are measured by turns, from the client, and each query has run once before.  Bars
# are for medians.  Q12 and Q13 have none: joins are PostgreSQL's, and so is a sort of a
# million groups.

# each of them three times, in a session of its own
three_times()
{
	timed <<-END
		SET timezone = 'UTC';
		SET work_mem = '256MB';
		SET jit = off;
		$2
		$1;
		\\timing on
		$1;
		$1;
		$1;
	END
}

# The table with its column index, COPIES times the records of all.csv
analytics_table()
{
	query <<-END
		SET timezone = 'UTC';
		DROP TABLE IF EXISTS products, categories;
		CREATE UNLOGGED TABLE products AS SELECT id + 1000000 * n AS id, 'SKU-' || lpad((id + 1000000 * n)::text, 8, '0') AS sku,
			name, category, status, description, price, weight, stock, active, updated_at
			FROM generate_series(0, $1 - 1) n, records;
		CREATE TABLE categories AS SELECT DISTINCT category, 'region ' || length(category) AS region FROM products;
		VACUUM (FREEZE, ANALYZE) products;
		VACUUM (ANALYZE) categories;
		CREATE INDEX ON products USING spice_columns
			(id, sku, name, category, status, description, price, weight, stock, active, updated_at);
	END
}

# analytics_measure SIZE: notes under analytics.SIZE.QUERY.WAY
analytics_measure()
{
	local name sql run turn time

	for ((run = 1; run <= RUNS; run++)); do
		while IFS='|' read -r name sql; do
			name=${name%% *}
			if [ -z "$duckdb_missing" ]; then
				for turn in {0..3}; do
					echo "$sql" >&"${duck[1]}"
					read -r time <&"${duck[0]}"
					[ "$turn" -eq 0 ] || note "analytics.$1.$name.duckdb" "$time"
				done
			fi
			while read -r time; do
				note "analytics.$1.$name.columns" "$time"
			done < <(three_times "$sql" '')
			if [ "$name" = Q01 ]; then
				while read -r time; do
					note "analytics.$1.$name.heap" "$time"
				done < <(three_times "$sql" 'SET spice.enable_columns = off; SET max_parallel_workers_per_gather = 2;')
			fi
		done <"$here/bench/analytics.txt"
	done
}

# the geometric mean of the ratios of medians, of the queries that have a bar
analytics_mean()
{
	local name ours theirs

	while IFS='|' read -r name _; do
		name=${name%% *}
		case $name in Q12 | Q13) continue ;; esac
		read -r _ ours _ < <(summary_of "analytics.$1.$name.columns")
		read -r _ theirs _ < <(summary_of "analytics.$1.$name.duckdb")
		echo "$ours $theirs"
	done <"$here/bench/analytics.txt" | awk '{ sum += log($1 / $2) } END { printf "%.3f", exp(sum / NR) }'
}

# analytics_report SIZE COUNT MEAN: with bars for single queries in the first size only
analytics_report()
{
	local label name bar

	heading "analytical queries over $2 products, one process, beside DuckDB on a file with two threads"
	while IFS='|' read -r label _; do
		name=${label%% *}
		bar=1.0
		case $name in
			Q12 | Q13) bar= ;;
			Q14) bar=1.5 ;;
		esac
		[ "$1" = all ] || bar=
		row "$label" ms "analytics.$1.$name.columns"
		if [ -z "$duckdb_missing" ]; then
			row '  DuckDB' ms "analytics.$1.$name.duckdb"
			ratio 'in relation to DuckDB' "analytics.$1.$name.columns" "analytics.$1.$name.duckdb" $bar
		else
			not_measured '  in relation to DuckDB' "$duckdb_missing" $bar
		fi
	done <"$here/bench/analytics.txt"
	ratio 'Q01 in relation to PostgreSQL with two workers' "analytics.$1.Q01.columns" "analytics.$1.Q01.heap" 0.05
	if [ -z "$duckdb_missing" ]; then
		note "analytics.$1.mean" "$(analytics_mean "$1")"
		row 'geometric mean in relation to DuckDB, without Q12 and Q13' ratio "analytics.$1.mean" median "$3"
	else
		not_measured 'geometric mean in relation to DuckDB' "$duckdb_missing" "$3"
	fi
}

part_analytics()
{
	local size copies

	need all
	server 'shared_buffers = 2GB' 'max_wal_size = 4GB'
	dataset records all.json | manifest
	reload
	csv records
	install_duckdb
	for size in all ten; do
		copies=1
		[ "$size" = all ] || copies=10
		analytics_table "$copies"
		if [ -z "$duckdb_missing" ]; then
			coproc duck { exec node "$here/bench/duckdb_queries.mjs" "$work/duckdb" "$work/duckdb/$size.db" "$work/www/all.csv" "$copies"; }
			read -r _ <&"${duck[0]}"
		fi
		analytics_measure "$size"
		if [ -z "$duckdb_missing" ]; then
			kill "$duck_PID"
			wait "$duck_PID" 2>/dev/null || true
		fi
	done
	analytics_report all "${rows[all]}" 0.6
	analytics_report ten "${rows[ten]}" 0.8
}

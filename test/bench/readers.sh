# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/readers.sh
#	What readers notice of a refresh: pgbench reads rows of a table with two indexes by
#	their keys, as fast as two clients can, while the table's rows are all replaced.  To be
#	sourced.
#
#	alone			nothing is written: what the machine itself keeps readers from
#	remove			nothing either, but a file as large as table and indexes is removed, as
#					whoever replaces a table does with its old one
#	refresh			full refreshes, back to back
#	copy			none; a plain COPY of the same rows into another table runs beside
#	mv				REFRESH MATERIALIZED VIEW, of a table with the same rows
#	concurrently	the same, CONCURRENTLY
#	truncate		TRUNCATE and INSERT ... SELECT from that table, in one transaction
#
# Where a machine has few cores, readers and writers are in each other's way whatever the
# writer does; what that alone costs the readers is what they see beside the COPY.

refreshes=2 # in a row, in one run
undisturbed=4 # seconds in which nothing is written, about as long as a refresh takes beside reads

# reading WAY: the table that is read meanwhile
reading()
{
	case $1 in
		alone | remove | refresh | copy) echo products ;;
		mv | concurrently) echo viewed ;;
		truncate) echo replaced ;;
	esac
}

# writing WAY: what runs beside the reads, for psql; what follows \timing on is timed
writing()
{
	local time

	case $1 in
		alone) printf '%s\n' '\timing on' "DO 'BEGIN PERFORM pg_sleep($undisturbed); END';" ;;
		remove) printf '%s\n' '\timing on' "COPY (SELECT) TO PROGRAM 'rm $work/tmp/removed';" ;;
		refresh)
			for ((time = 1; time <= refreshes; time++)); do
				printf '%s\n' '\timing off' "$forget;" '\timing on' "SELECT spice_refresh('products');"
			done
			;;
		copy) printf '%s\n' 'TRUNCATE copied;' '\timing on' "COPY copied FROM '$work/www/all.csv' (FORMAT csv, HEADER);" ;;
		mv) printf '%s\n' '\timing on' 'REFRESH MATERIALIZED VIEW viewed;' ;;
		concurrently) printf '%s\n' '\timing on' 'REFRESH MATERIALIZED VIEW CONCURRENTLY viewed;' ;;
		truncate) printf '%s\n' '\timing on' 'BEGIN\; TRUNCATE replaced\; INSERT INTO replaced SELECT * FROM base\; COMMIT;' ;;
	esac
}

prepare_readers()
{
	query --output=/dev/null <<-END
		CREATE UNLOGGED TABLE base AS TABLE products;
		CREATE UNLOGGED TABLE copied (LIKE products);
		CREATE MATERIALIZED VIEW viewed AS TABLE base;
		CREATE UNLOGGED TABLE replaced AS TABLE base;
		CREATE UNIQUE INDEX ON viewed (id);
		CREATE INDEX ON viewed (sku);
		CREATE UNIQUE INDEX ON replaced (id);
		CREATE INDEX ON replaced (sku);
		VACUUM ANALYZE base, viewed, replaced;
	END
	if [ ! -e "$work/www/all.csv" ]; then
		csv products
	fi
	for table in products viewed replaced; do
		printf '%s\n' "\\set id random(1, $ROWS)" "SELECT * FROM $table WHERE id = :id;" >"$work/tmp/read.$table"
	done
}

readers()
{
	query --command="SELECT $1 FROM pg_stat_activity WHERE application_name = 'pgbench'"
}

# check_readers PID: fails when pgbench has ended by itself
check_readers()
{
	if ! kill -0 "$1" 2>/dev/null; then
		cat "$work/log/pgbench" >&2
		return 1
	fi
}

# beside WAY: reads while that way's statements run, and notes what both took.  The
# readers are ended by ending their sessions: how long the writer takes is not known
# before, and a pgbench that is ended itself keeps what it has seen to itself.
beside()
{
	local log=$work/tmp/reads pid from ms

	rm -f "$log".*
	if [ "$1" = remove ]; then
		head --bytes="$(query --command="SELECT pg_total_relation_size('products')")" "$work/www/all.json" >"$work/tmp/removed"
		chown postgres: "$work/tmp/removed"
	fi
	settle
	as_postgres "$bindir/pgbench" --no-vacuum --protocol=prepared --client=2 --jobs=2 --time=36000 \
		--host="$work/tmp" --username=postgres --file="$work/tmp/read.$(reading "$1")" \
		--log --log-prefix="$log" bench >"$work/log/pgbench" 2>&1 &
	pid=$!
	until [ "$(readers 'count(*)')" -ge 2 ]; do
		check_readers $pid
		sleep 0.1
	done
	sleep 1
	from=$(date +%s.%N)
	for ms in $(writing "$1" | timed); do
		note "readers.$1.ms" "$ms"
	done
	check_readers $pid
	sleep 0.2
	readers 'pg_terminate_backend(pid)' >/dev/null
	wait $pid || true
	# without the first second: sessions start with empty caches
	cat "$log".* | awk -v from="$from" '$5 + $6 / 1e6 >= from { print $3 / 1000 }' | sort -g >"$work/tmp/latencies"
	rm -f "$log".*
	note "readers.$1.most" "$(tail -n 1 "$work/tmp/latencies")"
	note "readers.$1.p99" "$(awk -v lines="$(wc -l <"$work/tmp/latencies")" 'NR >= lines * 0.99 { print $1; exit }' "$work/tmp/latencies")"
}

part_readers()
{
	local run way table

	need all
	server
	dataset products all.json 'indexes: {id: unique, sku: enabled}' | manifest
	reload
	prepare_readers
	for ((run = 1; run <= RUNS; run++)); do
		for way in alone remove refresh copy mv concurrently truncate; do
			beside $way
		done
	done
	same_rows "$ROWS" products copied viewed replaced
	check_loaded

	heading "reads by key, pgbench -M prepared, 2 clients, of $ROWS rows with two indexes, while ..."
	row 'nothing is written: longest' ms readers.alone.most
	row 'a file as large as the table is removed: longest' ms readers.remove.most
	row 'COPY of the same rows into another table: longest' ms readers.copy.most
	row 'REFRESH MATERIALIZED VIEW: longest' ms readers.mv.most
	row 'REFRESH MATERIALIZED VIEW CONCURRENTLY: longest' ms readers.concurrently.most
	row 'TRUNCATE, INSERT: longest' ms readers.truncate.most
	row 'full refreshes back to back: longest' ms readers.refresh.most
	ratio 'in relation to COPY' readers.refresh.most readers.copy.most 2
	row 'nothing is written: 99th percentile' ms readers.alone.p99
	row 'COPY: 99th percentile' ms readers.copy.p99
	row 'REFRESH MATERIALIZED VIEW: 99th percentile' ms readers.mv.p99
	row 'REFRESH MATERIALIZED VIEW CONCURRENTLY: 99th percentile' ms readers.concurrently.p99
	row 'TRUNCATE, INSERT: 99th percentile' ms readers.truncate.p99
	row 'full refreshes: 99th percentile' ms readers.refresh.p99
	ratio 'in relation to COPY' readers.refresh.p99 readers.copy.p99 2
	row 'COPY, without indexes: duration' ms readers.copy.ms
	row 'REFRESH MATERIALIZED VIEW: duration' ms readers.mv.ms
	row 'REFRESH MATERIALIZED VIEW CONCURRENTLY: duration' ms readers.concurrently.ms
	row 'TRUNCATE, INSERT: duration' ms readers.truncate.ms
	row 'full refresh: duration' ms readers.refresh.ms
}

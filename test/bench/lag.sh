# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/lag.sh
#	How long a change of the source takes until the sidecar shows it (refresh_mode changes):
#	1,000 changes a second for 6 s, 500 transactions of one new row and one update.  To be
#	sourced.
#
# Both servers are on this machine and have one clock.  The source notes when it has
# committed each transaction (track_commit_timestamp); one session of the sidecar looks all
# the time which is the newest row, and notes when it has seen it.  What is measured is from
# the one to the other, so it includes the wait for the source's disk, and up to one look.

lag_seconds=6
source_port=5433

at_source()
{
	query --port=$source_port --dbname=postgres "$@"
}

start_lag_source()
{
	as_postgres "$bindir/initdb" --no-sync --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
		--pgdata="$work/lag" >"$work/log/initdb"
	printf '%s\n' "port = $source_port" "listen_addresses = ''" "unix_socket_directories = '$work/tmp'" \
		'wal_level = logical' 'track_commit_timestamp = on' >>"$work/lag/postgresql.conf"
	as_postgres "$bindir/pg_ctl" --pgdata="$work/lag" --log="$work/log/lag" --wait start >/dev/null
	at_source <<-END
		CREATE TABLE ticks (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text, times int DEFAULT 0);
		INSERT INTO ticks (text) SELECT md5(i::text) FROM generate_series(1, ${rows[tenth]}) i;
	END
	printf '%s\n' "\\set n random(1, ${rows[tenth]})" 'BEGIN;' "INSERT INTO ticks (text) VALUES ('new');" \
		'UPDATE ticks SET times = times + 1 WHERE n = :n;' 'COMMIT;' >"$work/tmp/ticks"
}

# looks until it is told to stop, at what time the newest row was which
look()
{
	query --output=/dev/null <<-'SQL'
		SET synchronous_commit = off;
		DO $$ DECLARE newest bigint; seen bigint := 0; BEGIN
			WHILE NOT EXISTS (SELECT FROM stop) LOOP
				SELECT max(n) INTO newest FROM ticks;
				IF newest > seen THEN
					INSERT INTO looks VALUES (clock_timestamp(), newest);
					seen := newest;
				END IF;
				COMMIT;
				PERFORM pg_sleep(0.0005);
			END LOOP;
		END $$;
	SQL
}

# measure_lag: one run
measure_lag()
{
	local looking lag

	query --command='TRUNCATE looks, stop'
	look &
	looking=$!
	as_postgres "$bindir/pgbench" --no-vacuum --protocol=prepared --client=1 --rate=500 --time=$lag_seconds \
		--host="$work/tmp" --port=$source_port --username=postgres --file="$work/tmp/ticks" postgres >"$work/log/pgbench" 2>&1
	until [ "$(query --command='SELECT max(n) FROM ticks')" = "$(at_source --command='SELECT max(n) FROM ticks')" ]; do
		sleep 0.1
	done
	sleep 0.1
	query --command='INSERT INTO stop VALUES (true)'
	wait $looking
	# what was written by this run: rows past the first look
	at_source --command="COPY (SELECT n, pg_xact_commit_timestamp(xmin) FROM ticks WHERE text = 'new' AND times = 0) TO '$work/tmp/commits'"
	for lag in $(query --command="TRUNCATE commits" --command="COPY commits FROM '$work/tmp/commits'" --command="
		SELECT count(*), percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM l.at - c.at) * 1000)
		FROM commits c, LATERAL (SELECT min(at) AS at FROM looks WHERE looks.n >= c.n) l
		WHERE c.n > (SELECT min(n) FROM looks)" | tr '|{,}' '    '); do
		set -- "$@" "$lag"
	done
	note lag.transactions "$1"
	note lag.median "$2"
	note lag.p99 "$3"
	note lag.most "$4"
}

part_lag()
{
	local run

	start_lag_source
	server
	query --command='CREATE EXTENSION postgres_fdw'
	cat <<-END | manifest
		  - from: postgres:public.ticks
		    name: ticks
		    params: {pg_host: $work/tmp, pg_port: $source_port, pg_db: postgres, pg_user: postgres}
		    acceleration: {engine: duckdb, mode: file, refresh_mode: changes, refresh_check_interval: 1s}
	END
	reload
	query --output=/dev/null <<-'END'
		CREATE UNLOGGED TABLE looks (at timestamptz, n bigint);
		CREATE INDEX ON looks (n);
		CREATE UNLOGGED TABLE commits (n bigint, at timestamptz);
		CREATE TABLE stop (it boolean);
	END
	for ((run = 1; run <= RUNS; run++)); do
		measure_lag
	done
	same_rows "$(at_source --command='SELECT count(*) FROM ticks')" ticks
	as_postgres "$bindir/pg_ctl" --pgdata="$work/lag" --mode=fast --wait stop >/dev/null

	heading "from commit on the source to visibility in the sidecar, 1,000 changes a second for $lag_seconds s"
	row 'transactions' '' lag.transactions
	row 'half of them at most' ms lag.median
	row '99th percentile' ms lag.p99 median 1000
	row 'longest' ms lag.most
}

# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/common.sh
#	What the parts of the benchmark share: a server with spice, a source on the
#	loopback, the records, the clock.  To be sourced after throwaway.sh.
#
# Every part has a server of its own, so that none finds what another has left, and
# each can be run alone.  The records are made once.

query()
{
	as_postgres "$bindir/psql" --no-psqlrc --quiet --no-align --tuples-only \
		--host="$work/tmp" --username=postgres --dbname=bench --set=ON_ERROR_STOP=1 "$@"
}

# SQL on standard input; of each statement after \timing on, the milliseconds, one per line
timed()
{
	query | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

# The sidecar's configuration, but that autovacuum, which would run into a turn, rests.  It
# is on: without it a refresh would analyze each time.  That the disk is waited for (fsync)
# belongs to what is measured.
settings=('fsync = on' 'shared_buffers = 256MB' 'max_wal_size = 1GB' "autovacuum_naptime = '1d'"
	"spice.fetch_max_size = '1TB'")

# server [LINE...]: an empty server with spice in database bench and no manifest, in place
# of the one before; the lines are of its configuration, after those above
server()
{
	if [ -e "$work/data" ]; then
		as_postgres "$bindir/pg_ctl" --pgdata="$work/data" --mode=fast --wait stop >/dev/null
		rm -rf "$work/data" "$work/spicepod.yaml"
	fi
	start_server "${settings[@]}" "spice.spicepod = '$work/spicepod.yaml'" "spice.database = 'bench'" "$@"
	query --dbname=postgres --command='CREATE DATABASE bench'
	query --command='CREATE EXTENSION spice'
}

# The manifest, its datasets on standard input
manifest()
{
	{
		printf '%s\n' 'version: v1' 'kind: Spicepod' 'name: bench' 'datasets:'
		cat
	} >"$work/spicepod.yaml.new"
	mv "$work/spicepod.yaml.new" "$work/spicepod.yaml"
	chmod a+r "$work/spicepod.yaml"
}

# dataset NAME PATH [LINE...]: an entry of the manifest; the lines are of its
# acceleration, and $params, "key: value", is added to its params
dataset()
{
	printf '  - from: %s/%s\n    name: %s\n    params: {client_timeout: 1h%s}\n' \
		"$url" "$2" "$1" "${params:+, $params}"
	printf '    acceleration:\n      enabled: true\n'
	if [ $# -gt 2 ]; then
		printf '      %s\n' "${@:3}"
	fi
}

# The server takes the manifest, and loads what is new in it.
reload()
{
	query --output=/dev/null --command='SELECT spice_reload()'
	until [ "$(query --command='SELECT spice_ready()')" = t ]; do
		sleep 0.2
	done
}

# The statement that has a dataset take the same bytes for new ones: without its
# validators.
forget="UPDATE spice_catalog.dataset SET etag = NULL, last_modified = NULL, digest = NULL"

# What comes before each measurement, that it need not pay for the one before: neither
# the server nor the kernel has pages to write.
settle()
{
	query --command="$forget" --command='CHECKPOINT'
	sync
}

# Whether every refresh but the first of each dataset was one that loaded.
check_loaded()
{
	local others

	others=$(query --command="SELECT string_agg(DISTINCT dataset || ' ' || outcome, ', ')
		FROM spice_catalog.refresh_history WHERE outcome NOT IN ('loaded', 'merged', 'appended')")
	if [ -n "$others" ]; then
		echo "not every refresh has loaded rows: $others" >&2
		return 1
	fi
}

# body FILE COUNT: that many product records as a JSON array
body()
{
	as_postgres python3 -c '
import sys
sys.path.insert(0, "test")
import server
with open(sys.argv[1], "wb") as out:
    server.write_generated(out, "products", int(sys.argv[2]))' "$work/www/$1" "$2"
}

# Ten times ROWS records are those of all.json ten times over: making others would take
# minutes, and no reader could tell, as there is no index.
ten_times()
{
	local time

	need all
	{
		printf '['
		for time in {1..10}; do
			[ "$time" -eq 1 ] || printf ',\n'
			head --bytes=-2 "$work/www/all.json" | tail --bytes=+2
		done
		printf ']\n'
	} >"$work/www/ten.json"
}

# need SIZE...: makes the bodies that are not there yet
need()
{
	local size

	for size in "$@"; do
		if [ -e "$work/www/$size.json" ]; then
			continue
		elif [ "$size" = ten ]; then
			ten_times
		else
			body "$size.json" "${rows[$size]}"
		fi
	done
}

# csv TABLE: the same records as a source would send them in CSV, which COPY reads, too
csv()
{
	query --command="SET timezone = 'UTC'" --command="COPY (SELECT id, sku, name, category, status, description,
			price, weight, stock, active::text AS active, to_char(updated_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS updated_at
		FROM $1) TO '$work/www/all.csv' (FORMAT csv, HEADER)"
}

# A source that sends files without looking at them takes little from those measured.
start_source()
{
	local tries port

	for tries in {1..10}; do
		port=$(python3 -c 'import socket
with socket.create_server(("127.0.0.1", 0)) as free: print(free.getsockname()[1])')
		url=http://127.0.0.1:$port
		cat >"$work/nginx.conf" <<-END
			pid $work/tmp/nginx.pid;
			worker_processes 1;
			events {}
			http {
				access_log off;
				sendfile on;
				tcp_nopush on;
				types { application/json json; text/csv csv; }
				client_body_temp_path $work/tmp/body;
				proxy_temp_path $work/tmp/proxy;
				fastcgi_temp_path $work/tmp/fastcgi;
				uwsgi_temp_path $work/tmp/uwsgi;
				scgi_temp_path $work/tmp/scgi;
				server {
					listen 127.0.0.1:$port;
					root $work/www;
					# who knows a watermark gets what has come since
					location ~ ^/items_ {
						if (\$arg_since) { rewrite ^/items_(.*) /news_\$1.json break; }
						rewrite ^/items_(.*) /\$1.json break;
					}
					# another record, and no validators, each time
					location = /moving.json {
						alias $work/www/few.json;
						sub_filter SKU-0000001 SKU-\$msec;
						sub_filter_types application/json;
					}
				}
			}
		END
		if as_postgres nginx -c "$work/nginx.conf" -e "$work/log/nginx" 2>/dev/null; then
			return
		fi
		echo "port $port was taken ($tries)"
	done
	tail -n 5 "$work/log/nginx"
	return 1
}

# count and checksum over all columns of all rows, in any order
fingerprint()
{
	query --command="SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM $1 t"
}

# same_rows COUNT TABLE...: fails unless all have the very same rows, that many
same_rows()
{
	local table expected

	expected=$(fingerprint "$2")
	if [ "${expected%%|*}" -ne "$1" ]; then
		echo "$2 has ${expected%%|*} rows, not $1" >&2
		return 1
	fi
	for table in "${@:3}"; do
		if [ "$(fingerprint "$table")" != "$expected" ]; then
			echo "$table and $2 differ" >&2
			return 1
		fi
	done
}

megabytes()
{
	awk -v bytes="$(stat --format=%s "$work/www/$1")" 'BEGIN { printf "%.0f", bytes / 1e6 }'
}

machine()
{
	local cpu

	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	echo "machine: $(nproc) cores, ${cpu:-unknown processor}," \
		"$(awk '/^MemTotal/ { printf "%.0f", $2 / 1024 / 1024 }' /proc/meminfo) GB, load" \
		"$(cut -d ' ' -f 1 /proc/loadavg) before"
	echo "software: $("$bindir/postgres" --version | sed 's/ (Debian.*//'), spice" \
		"$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$work/tree/spice.control")," \
		"libcurl $(pkg-config --modversion libcurl), $(nginx -v 2>&1 | sed 's/.*: //; s,/, ,')," \
		"Linux $(uname -r | cut -d - -f 1)"
	echo "settings, unless a part says others:$(printf ' %s,' "${settings[@]}" | sed 's/,$//')"
}

#!/bin/bash
#
# entrypoint.sh [ARGUMENT OF postgres...]
#	Starts the sidecar's server, makes its cluster at the first start, and sets roles
#	and passwords at every start (roles.sql).
#
#	SPICE_APP_PASSWORD	password of the application's login; required
#	SPICE_APP_USER		its name (app)
#	SPICE_APP_DATABASE	the database (app)
#	SPICE_SUBSCRIBER_PASSWORD	if set: this is a hub, and others follow its tables with it
#	SPICE_LISTEN		addresses to listen on (localhost)
#	PGPORT				the port (5432)
#	SPICE_STOP_PATIENCE	seconds that SIGTERM lets connected clients finish (5)
#
# Each of the passwords, and the user's name, can be given as the content of a file, named by the variable
# with _FILE at its end.
#
# The script does not exec the server.  At SIGTERM the server waits for its last client
# without a limit.  If SIGKILL ends it, it has to recover, and to load its tables of mode
# "memory" again.  So the script waits for a part of the grace period, and then has the
# server close the connections.

set -euo pipefail

share=/usr/share/spice
run=/run/postgresql

fail()
{
	printf 'spice: %s\n' "$@" >&2
	exit 1
}

# from_file VARIABLE [DEFAULT]: sets it from the file that VARIABLE_FILE names
from_file()
{
	local file=$1_FILE

	if [ -n "${!file:-}" ]; then
		[ -r "${!file}" ] || fail "cannot read ${!file}, which $file names"
		printf -v "$1" '%s' "$(<"${!file}")"
	fi
	printf -v "$1" '%s' "${!1:-${2:-}}"
	export "${1?}"
}

# Prints the container's memory limit in MB, of cgroup version 2 or 1; 512 if there is none.
memory_limit()
{
	local limit file

	for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
		if [ -r "$file" ]; then
			limit=$(<"$file")
			# version 2 writes "max" for no limit, version 1 a huge number
			if [[ $limit =~ ^[0-9]+$ ]] && [ ${#limit} -lt 16 ]; then
				echo $((limit / 1024 / 1024))
				return
			fi
		fi
	done
	echo 512
}

# within LEAST MOST VALUE
within()
{
	echo $(($3 < $1 ? $1 : $3 > $2 ? $2 : $3))MB
}

# Writes the settings that depend on the container: its user, its memory, its variables.
configure()
{
	local memory name

	# server programs ask for the name of the user they run as
	if ! name=$(id -un 2>/dev/null); then
		name=postgres
		echo "$name:x:$(id -u):$(id -g)::/var/lib/spice:/usr/sbin/nologin" >$run/passwd
	fi
	echo "server \"$name\" postgres" >$run/pg_ident.conf

	memory=$(memory_limit)
	cat >$run/container.conf <<-END
		# $memory MB of memory
		shared_buffers = $(within 16 8192 $((memory / 4)))
		effective_cache_size = $(within 32 65536 $((memory / 2)))
		work_mem = $(within 2 64 $((memory / 128)))
		maintenance_work_mem = $(within 8 512 $((memory / 16)))
		spice.fetch_memory = $(within 4 64 $((memory / 32)))
		listen_addresses = '${SPICE_LISTEN:-localhost}'
		spice.database = '${SPICE_APP_DATABASE//\'/\'\'}'
		cron.database_name = '${SPICE_APP_DATABASE//\'/\'\'}'
	END
	if [ -e /etc/spice/postgresql.conf ]; then
		echo "include '/etc/spice/postgresql.conf'" >>$run/container.conf
	fi
}

# Two servers on one folder destroy it.  postmaster.pid does not prevent that, because the
# process ids of each container begin at 1.  The kernel releases the lock when the last
# process of the container that holds it has ended.
lock_data()
{
	exec 9>"$PGDATA.lock" || fail "cannot write to $(dirname "$PGDATA") as user $(id -u)"
	if ! flock --nonblock 9; then
		echo "spice: waiting for another container that uses $PGDATA" >&2
		flock 9
	fi
	rm -f "$PGDATA/postmaster.pid"
}

# The cluster gets its name when it is complete, so an existing one is whole.
make_cluster()
{
	if [ -s "$PGDATA/PG_VERSION" ]; then
		[ "$(<"$PGDATA/PG_VERSION")" = 17 ] ||
			fail "$PGDATA is of PostgreSQL $(<"$PGDATA/PG_VERSION"), this image has 17" \
				"An empty volume is filled from the sources; docs/operations.md says more."
		return
	fi
	rm -rf "$PGDATA.new"
	initdb --pgdata="$PGDATA.new" --username=postgres --auth=reject --encoding=UTF8 --sync-method=syncfs \
		--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8 >/dev/null
	rm "$PGDATA.new"/{postgresql,pg_hba,pg_ident}.conf	# not the ones that are used
	mv "$PGDATA.new" "$PGDATA"
}

# Runs roles.sql in a server that no client can reach and that refreshes nothing.
set_roles()
{
	local socket

	socket=$(mktemp --directory)
	pg_ctl --silent --wait --timeout=86400 start --options="-c config_file=$share/postgresql.conf \
		-c listen_addresses= -c unix_socket_directories=$socket \
		-c shared_preload_libraries=pg_cron -c cron.launch_active_jobs=off"
	# the statements have a password, which must not be logged
	PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1
		-c client_min_messages=warning' \
		psql --no-psqlrc --quiet --host="$socket" --username=postgres --dbname=postgres \
		--set=ON_ERROR_STOP=1 --file=$share/roles.sql --output=/dev/null
	pg_ctl --silent --wait --mode=fast stop
	rmdir "$socket"
}

# Ends what set_roles may have started.
give_up()
{
	if [ -e "$PGDATA/postmaster.pid" ]; then
		pg_ctl --silent --wait --mode=fast stop || true
	fi
	exit 143
}

# SIGTERM: no new connections; those that are there may finish, but not for ever.
stop()
{
	kill -TERM "$server"
	(sleep "${SPICE_STOP_PATIENCE:-5}" && kill -INT "$server") 2>/dev/null &
}

trap give_up TERM INT QUIT
from_file SPICE_APP_USER app
export SPICE_APP_DATABASE=${SPICE_APP_DATABASE:-app}
from_file SPICE_APP_PASSWORD
from_file SPICE_SUBSCRIBER_PASSWORD
[ -n "$SPICE_APP_PASSWORD" ] ||
	fail "set SPICE_APP_PASSWORD, or SPICE_APP_PASSWORD_FILE to a file that holds it"
case $SPICE_APP_USER in
	postgres | spice_tables | spice_reader | spice_subscriber) fail "SPICE_APP_USER cannot be $SPICE_APP_USER: that role is the server's" ;;
esac
configure
lock_data
make_cluster
set_roles
# the manifest's secrets come from the environment too, but this is none of them
unset SPICE_APP_PASSWORD SPICE_SUBSCRIBER_PASSWORD

postgres -c config_file=$share/postgresql.conf "$@" &
server=$!
trap stop TERM
trap 'kill -INT "$server"' INT
trap 'kill -QUIT "$server"' QUIT
trap 'kill -HUP "$server"' HUP
# a signal ends the wait, but not the server
while kill -0 "$server" 2>/dev/null; do
	wait "$server" || true
done
wait "$server"

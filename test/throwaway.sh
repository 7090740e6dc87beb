# shellcheck shell=bash
#
# test/throwaway.sh
#	For the bash scripts that need a server of their own: builds a copy of the tree,
#	starts a server on it that nobody else can reach, and leaves nothing behind.
#	To be sourced.
#
# All of it lives in one temporary folder, $work: tree/ (the copy), data/ (the
# cluster), log/, tmp/ (the socket).  It belongs to user postgres, because initdb
# refuses root.
#
# A server looks for extensions in its own directories only.  To leave those as they
# are, for the machine's other servers and for runs side by side, copies of them are
# mounted over them in a mount namespace of our own.  Where the kernel does not let us
# (in many containers), the extension is installed for all.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# the make that started this must not pass its options on to those in here
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# need_root SCRIPT ARGUMENTS...: starts the script again as root, in a mount
# namespace, unless that is how it runs already.
need_root()
{
	if [ "$(id -u)" -ne 0 ]; then
		exec sudo env SPICE_CHROOT="${SPICE_CHROOT:-}" "$@"
	fi
	if [ -z "${SPICE_NAMESPACE:-}" ] && unshare --mount true 2>/dev/null; then
		exec unshare --mount env SPICE_NAMESPACE="$$" "$@"
	fi
}

# Whether what is mounted here is seen by nobody else.
alone()
{
	[ "${SPICE_NAMESPACE:-}" = "$$" ]
}

# Ids of the processes that work below our folder: servers, sources, tests.
processes()
{
	local link

	for link in /proc/[0-9]*/cwd; do
		case $(readlink "$link" 2>/dev/null) in
			"$work"/*) link=${link#/proc/} && echo "${link%/cwd}" ;;
		esac
	done
}

# Ends and removes all that was started and made below $work.
leave()
{
	local signal pid

	for signal in INT INT KILL; do
		for pid in $(processes); do
			kill -s "$signal" "$pid" 2>/dev/null || true
		done
		for _ in {1..50}; do
			[ -n "$(processes)" ] || break
			sleep 0.1
		done
	done
	rm -rf "$work"
}

# begin NAME: makes $work with a copy of the tree; it goes when the script ends.
begin()
{
	work=$(mktemp -d "/tmp/$1.XXXXXX")
	trap leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work"/{tree,tmp,log}
	"$here/stage" "$work/tree"
	chown -hR postgres: "$work"
}

# what as_postgres runs its command in, if anything
room=()

# Runs a command as postgres, in the copy of the tree.
as_postgres()
{
	"${room[@]}" env -C "$work/tree" runuser -u postgres -- env TMPDIR="$work/tmp" "$@"
}

# build VERSION [VARIABLE=VALUE...]: compiles and installs the copy.
build()
{
	bindir=/usr/lib/postgresql/$1/bin
	make=(make "PG_CONFIG=$bindir/pg_config" with_llvm=no "${@:2}")
	echo "building for $("$bindir/pg_config" --version) ..."
	if ! as_postgres "${make[@]}" -j"$(nproc)" all >"$work/log/build" 2>&1 ||
		! install_extension >"$work/log/install" 2>&1; then
		tail -n 40 "$work"/log/*
		echo "the build failed"
		return 1
	fi
}

install_extension()
{
	local folder

	if alone; then
		for folder in "$("$bindir/pg_config" --pkglibdir)" \
			"$("$bindir/pg_config" --sharedir)/extension"; do
			mkdir -p "$work/installed$folder" &&
				cp -a "$folder/." "$work/installed$folder" &&
				mount --bind "$work/installed$folder" "$folder" || return 1
		done
	fi
	"${make[@]}" -C "$work/tree" install
}

# start_server [LINE...]: starts the server, with further lines of configuration.  It
# gets the variables of $server_environment besides, and pg_ctl $server_options.
server_environment=()
server_options=()
start_server()
{
	as_postgres "$bindir/initdb" --no-sync --username=postgres --auth=trust \
		--encoding=UTF8 --locale=C.UTF-8 --pgdata="$work/data" >"$work/log/initdb"
	printf '%s\n' "shared_preload_libraries = 'spice'" "listen_addresses = ''" \
		"unix_socket_directories = '$work/tmp'" "fsync = off" "$@" \
		>>"$work/data/postgresql.conf"
	if ! as_postgres "${server_environment[@]}" "$bindir/pg_ctl" "${server_options[@]}" --pgdata="$work/data" --log="$work/log/server" --wait \
		start >"$work/log/pg_ctl"; then
		tail -n 40 "$work/log/server"
		return 1
	fi
}

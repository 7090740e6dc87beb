# shellcheck shell=bash
#
# test/throwaway.sh
#	For the bash scripts that need a server of their own: builds a copy of the tree,
#	starts a server on it that only the script reaches, and removes both at the end.
#	To be sourced.
#
# Everything lives in one temporary folder, $work: tree/ (the copy), data/ (the cluster),
# log/, tmp/ (the socket).  It belongs to user postgres, because initdb refuses root, or
# to the user who started the script without root.
#
# A server looks for extensions in its own directories only.  To leave those unchanged,
# for the machine's other servers and for runs side by side, the script mounts copies over
# them in a mount namespace of its own.  Where the kernel refuses a namespace (in many
# containers), the script installs the extension in the server's directories and removes
# it at the end, unless it was there before.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The options of the make that started this script are not for the makes in it.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# need_root SCRIPT ARGUMENTS...: starts the script again as root, in a mount namespace,
# unless it runs so already.
need_root()
{
	if [ "$(id -u)" -ne 0 ]; then
		exec sudo env SPICE_CHROOT="${SPICE_CHROOT:-}" "$@"
	fi
	if [ -z "${SPICE_NAMESPACE:-}" ] && unshare --mount true 2>/dev/null; then
		exec unshare --mount env SPICE_NAMESPACE="$$" "$@"
	fi
}

# need_namespace SCRIPT ARGUMENTS...: starts the script again in a mount namespace, as
# need_root does, but without root if the user is not root.  The script then is root of a
# user namespace, which lets it mount, and as_postgres runs commands as the user.
need_namespace()
{
	if [ -n "${SPICE_NAMESPACE:-}" ]; then
		return
	fi
	if [ "$(id -u)" -eq 0 ]; then
		need_root "$@"
	elif unshare --user --map-root-user --mount true 2>/dev/null; then
		exec unshare --user --map-root-user --mount \
			env SPICE_NAMESPACE="$$" SPICE_USER="$(id -u):$(id -g)" "$@"
	else
		echo "This kernel lets user $(id -un) have no namespace: use make test, which wants root." >&2
		exit 1
	fi
}

# Whether the mounts of this script are invisible to other processes.
alone()
{
	[ "${SPICE_NAMESPACE:-}" = "$$" ]
}

# Prints the ids of the processes that work below our folder: servers, sources, tests.
processes()
{
	local link

	for link in /proc/[0-9]*/cwd; do
		case $(readlink "$link" 2>/dev/null) in
			"$work"/*) link=${link#/proc/} && echo "${link%/cwd}" ;;
		esac
	done
}

# Ends and removes everything that was started and made below $work.
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
	if [ -n "${installed_for_all:-}" ]; then
		"${make[@]}" -C "$work/tree" uninstall >/dev/null 2>&1 || true
	fi
	rm -rf "$work"
}

# begin NAME: makes $work with a copy of the tree.  Both go when the script ends.
begin()
{
	work=$(mktemp -d "/tmp/$1.XXXXXX")
	trap leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work"/{tree,tmp,log}
	"$here/stage" "$work/tree"
	give_to_postgres
}

# Gives $work to the user who runs the server.
give_to_postgres()
{
	if [ -z "${SPICE_USER:-}" ]; then
		chown -hR postgres: "$work"
	fi
}

# The command that as_postgres runs its command in, if there is one.
room=()

# Runs a command as the user who runs the server, in the copy of the tree.
as_postgres()
{
	local become=(runuser -u postgres --)

	if [ -n "${SPICE_USER:-}" ]; then
		become=(unshare --user --map-user="${SPICE_USER%:*}" --map-group="${SPICE_USER#*:}" --)
	fi
	"${room[@]}" env -C "$work/tree" "${become[@]}" env TMPDIR="$work/tmp" "$@"
}

# build VERSION [VARIABLE=VALUE...]: compiles and installs the copy for the server of this
# version, or of $PG_CONFIG where VERSION is empty.
build()
{
	local config=${PG_CONFIG:-pg_config}

	if [ -n "$1" ]; then
		config=/usr/lib/postgresql/$1/bin/pg_config
	fi
	bindir=$("$config" --bindir)
	make=(make "PG_CONFIG=$config" with_llvm=no "${@:2}")
	echo "building for $("$config" --version) ..."
	if ! as_postgres "${make[@]}" -j"$(nproc)" all >"$work/log/build" 2>&1 ||
		! install_extension >"$work/log/install" 2>&1; then
		tail -n 40 "$work"/log/*
		echo "the build failed"
		return 1
	fi
}

install_extension()
{
	local folder extensions

	extensions=$("$bindir/pg_config" --sharedir)/extension
	if alone; then
		for folder in "$("$bindir/pg_config" --pkglibdir)" "$extensions"; do
			mkdir -p "$work/installed$folder" &&
				cp -R --preserve=mode,links,timestamps "$folder/." "$work/installed$folder" &&
				mount --bind "$work/installed$folder" "$folder" || return 1
		done
	elif [ ! -e "$extensions/spice.control" ]; then
		installed_for_all=yes
	fi
	"${make[@]}" -C "$work/tree" install
}

# start_server [LINE...]: starts the server, with further lines of configuration.  It
# gets the variables of $server_environment, and pg_ctl gets $server_options.
server_environment=()
server_options=()
start_server()
{
	as_postgres "$bindir/initdb" --no-sync --username=postgres --auth=trust \
		--encoding=UTF8 --locale=C.UTF-8 --pgdata="$work/data" >"$work/log/initdb"
	printf '%s\n' "shared_preload_libraries = 'spice'" "listen_addresses = ''" \
		"unix_socket_directories = '$work/tmp'" "fsync = off" "$@" \
		>>"$work/data/postgresql.conf"
	if ! as_postgres "${server_environment[@]}" "$bindir/pg_ctl" "${server_options[@]}" \
		--pgdata="$work/data" --log="$work/log/server" --wait start >"$work/log/pg_ctl"; then
		tail -n 40 "$work/log/server"
		return 1
	fi
}

# shellcheck shell=bash
#
# test/debian.sh
#	For the scripts that make a Debian system of their own in a folder, because the
#	machine's own release does not have the packages that they need.  The systems are made
#	once and kept below $cache.  To be sourced; its functions run as root.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SPICE_CHROOT:-/var/cache/spice}

# The mirror that this machine's apt already uses for Debian itself.
debian_mirror()
{
	# shellcheck disable=SC2016 # the fields are apt's
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		sed -n '/^Debian /{s/^Debian //p;q}'
}

# make_debian SUITE DIR: makes the smallest system of that release in DIR.  Several systems
# start from the same release, so the release is kept as debian-SUITE.tar.
make_debian()
{
	local suite=$1 dir=$2 mirror

	"$here/deps" --chroot || return 1
	rm -rf "$dir"
	if [ ! -e "$cache/debian-$suite.tar" ]; then
		mirror=$(debian_mirror)
		if [ -z "$mirror" ]; then
			apt-get -qq update
			mirror=$(debian_mirror)
		fi
		if [ -z "$mirror" ]; then
			echo "apt on this machine names no Debian mirror to make a $suite from" >&2
			return 1
		fi
		debootstrap --variant=minbase "$suite" "$dir" "$mirror" || return 1
		chmod 755 "$dir"
		rm -f "$dir"/var/cache/apt/archives/*.deb

		# The new system needs this machine's proxies and clock settings to reach the mirror.
		apt-config dump |
			grep -E '^Acquire::(.*::)?(Proxy|Check-Valid-Until|Check-Date)\b' \
				>"$dir/etc/apt/apt.conf.d/90machine" || true
		if [ "$suite" = sid ]; then
			# a snapshot of unstable soon counts as expired
			printf '%s\n' 'Acquire::Check-Valid-Until "false";' 'Acquire::Check-Date "false";' \
				>>"$dir/etc/apt/apt.conf.d/90machine"
		fi
		# As in Debian's container images: a lost system is made again.
		echo force-unsafe-io >"$dir/etc/dpkg/dpkg.cfg.d/speed"
		printf '127.0.0.1 localhost\n::1 localhost\n' >"$dir/etc/hosts"
		tar --directory="$dir" --numeric-owner --exclude='./proc/*' --create \
			--file="$cache/debian-$suite.tar.$$" . &&
			mv "$cache/debian-$suite.tar.$$" "$cache/debian-$suite.tar" || return 1
	else
		mkdir -p "$dir"
		tar --directory="$dir" --numeric-owner --extract --preserve-permissions \
			--file="$cache/debian-$suite.tar" || return 1
	fi
	cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
}

# enter ROOT FOLDER COMMAND...: runs a command with ROOT as its root, in FOLDER.
# The shell in between is process 1 of its namespace: the kernel ends all other
# processes of the namespace with it.
enter()
{
	# shellcheck disable=SC2016 # expanded inside
	unshare --mount --pid --fork --kill-child -- bash -c '
		trap "exit 130" INT TERM
		mount -t proc proc "$1/proc" &&
		mount --rbind /sys "$1/sys" &&
		mount --rbind /dev "$1/dev" || exit 1
		root=$1
		folder=$2
		shift 2
		env -i TERM="${TERM:-dumb}" LANG=C.UTF-8 HOME=/root \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			chroot "$root" env -C "$folder" "$@"' - "$@"
}

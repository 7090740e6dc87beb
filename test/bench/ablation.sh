# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/ablation.sh
#	A full refresh of ROWS records without each mechanism of the load that core does not
#	offer, by turns.  To be sourced.
#
#	base		the tree as it stands
#	alone		no reader process: max_parallel_workers_per_gather = 0, the server's setting
#	sharing		the reader process reads all records; the writer reads none
#	pages		table_multi_insert instead of own pages and tuples
#	frozen		rows that are not frozen, no visibility map
#
# What a setting cannot switch off, a patch in ablation/ does.  Each patch makes a library of
# its own, and the server is restarted with the library of the turn.  Frozen rows cost the
# refresh something and spare the first VACUUM a write of all pages: so VACUUM is timed, too.

ablations='base alone sharing pages frozen'

# library WAY: the library to run, made if it is not there yet
library()
{
	local made=$work/tmp/ablation.$1.so patch=$here/bench/ablation/$1.patch

	if [ ! -e "$made" ]; then
		if [ -e "$patch" ]; then
			as_postgres patch --quiet --strip=1 <"$patch"
		fi
		as_postgres "${make[@]}" --jobs="$(nproc)" all >"$work/log/build" 2>&1
		cp "$work/tree/spice.so" "$made"
		if [ -e "$patch" ]; then
			as_postgres patch --quiet --strip=1 --reverse <"$patch"
		fi
	fi
	echo "$made"
}

restart_with()
{
	install --mode=755 "$1" "$("$bindir/pg_config" --pkglibdir)/spice.so"
	as_postgres "$bindir/pg_ctl" --pgdata="$work/data" --log="$work/log/server" --mode=fast --wait restart >/dev/null
}

# refresh_and_vacuum WAY: milliseconds of both
refresh_and_vacuum()
{
	local workers=2

	if [ "$1" = alone ]; then
		workers=0
	fi
	timed <<-END
		SET max_parallel_workers_per_gather = $workers;
		SELECT 'warm' FROM products LIMIT 1;
		\\timing on
		SELECT spice_refresh('products');
		VACUUM products;
	END
}

part_ablation()
{
	local run way ms

	need all
	server
	dataset products all.json | manifest
	reload
	for way in $ablations; do
		library "$way" >/dev/null
	done
	for ((run = 1; run <= RUNS; run++)); do
		for way in $ablations; do
			restart_with "$(library "$way")"
			settle
			mapfile -t ms < <(refresh_and_vacuum "$way")
			note "ablation.$way" "${ms[0]}"
			note "ablation.$way.vacuum" "$(awk -v a="${ms[0]}" -v b="${ms[1]}" 'BEGIN { print a + b }')"
		done
	done
	restart_with "$(library base)"
	check_loaded

	heading "refresh of $ROWS records without each mechanism of the load, in relation to the refresh with all of them"
	row 'all of them' ms ablation.base
	row 'no reader process' ms ablation.alone
	ratio 'in relation' ablation.alone ablation.base
	row 'a reader process that shares no stripes' ms ablation.sharing
	ratio 'in relation' ablation.sharing ablation.base
	row 'table_multi_insert instead of own pages and tuples' ms ablation.pages
	ratio 'in relation' ablation.pages ablation.base
	row 'rows not frozen, no visibility map' ms ablation.frozen
	ratio 'in relation' ablation.frozen ablation.base
	row 'all of them, and VACUUM' ms ablation.base.vacuum
	row 'rows not frozen, and VACUUM' ms ablation.frozen.vacuum
	ratio 'in relation' ablation.frozen.vacuum ablation.base.vacuum
}

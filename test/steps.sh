# shellcheck shell=bash
#
# test/steps.sh
#	The kinds of tests as steps that count: for the bash scripts that run make targets
#	of tests in a throw-away tree.  To be sourced after throwaway.sh.
#
# $passed, $failed and $skipped add up what every step has counted.  A block of a TAP test,
# or a file, that is left out counts as one skipped; each step names the reasons.

# shellcheck disable=SC2154 # work, make and bindir are throwaway.sh's

passed=0
failed=0
skipped=0

# "PASSED FAILED SKIPPED" of what pg_regress (up to 15 in its own words, from 16 on in TAP)
# or a TAP producer has printed.
count()
{
	awk '
		/^ok [0-9]/ && !/# *[Ss][Kk][Ii][Pp]/		{ passed++ }
		/^not ok/ && !/# *TODO/						{ failed++ }
		/^(test |     )[^ ]+ +\.\.\. ok/			{ passed++ }
		/^(test |     )[^ ]+ +\.\.\. FAILED/		{ failed++ }
		/^(ok [0-9]+|1\.\.0) .*# *[Ss][Kk][Ii][Pp]/		{ skipped++ }
		END											{ print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# Why tests were skipped, each reason once.
skip_reasons()
{
	sed -nE 's/^(ok [0-9]+|1\.\.0) .*# *skip(ped)? +/# skipped: /Ip' "$1" | sort -u
}

# What the TAP tests have printed.  They run side by side, being asleep most of the time,
# and each writes a log of its own.
tap_results()
{
	find "$work/tree" -path '*/tmp_check/log/regress_log_*' -exec \
		sed -n 's/^\[[0-9:.]*\]([0-9.]*s) \(not ok\|ok\|1\.\.0\) /\1 /p' {} +
}

# step NAME INPUTS TARGET...: one kind of test.  A kind that fails without naming a test,
# or that runs none though there are inputs, counts as one failure.
step()
{
	local name=$1 inputs=$2 log=$work/log/$1 status=0 step_passed step_failed step_skipped
	shift 2

	if ! compgen -G "$work/tree/$inputs" >/dev/null; then
		echo "$name: none ($inputs)"
		return
	fi
	printf '%s: ' "$name"
	as_postgres PGHOST="$work/tmp" PGUSER=postgres \
		"${make[@]}" --no-print-directory "$@" >"$log" 2>&1 || status=$?
	if [ "$name" = tap ]; then
		tap_results >>"$log"
	fi
	read -r step_passed step_failed step_skipped <<<"$(count "$log")"
	if [ "$step_failed" -eq 0 ] && { [ $status -ne 0 ] || [ "$step_passed" -eq 0 ]; }; then
		step_failed=1
	fi
	passed=$((passed + step_passed))
	failed=$((failed + step_failed))
	skipped=$((skipped + step_skipped))
	echo "$step_passed passed, $step_failed failed, $step_skipped skipped"
	skip_reasons "$log"
	if [ "$step_failed" -gt 0 ]; then
		show_failure "$log"
	fi
}

# run_kind KIND [NAME...]: the tests of one kind, or those of these names.
run_kind()
{
	local kind=$1
	shift

	case $kind in
		unit) step unit 'test/unit/*_test.c' unit ;;
		regress)
			step regress 'test/sql/*.sql' installcheck ISOLATION= TAP_TESTS= ${1:+"REGRESS=$*"}
			;;
		isolation)
			step isolation 'test/specs/*.spec' installcheck REGRESS= TAP_TESTS= ${1:+"ISOLATION=$*"}
			;;
		tap)
			room=("$here/room" "$work/room")
			step tap 'test/t/*.pl' installcheck REGRESS= ISOLATION= PROVE_FLAGS=--jobs=3 \
				${1:+"PROVE_TESTS=$*"}
			room=()
			;;
		*)
			echo "$kind is no kind of test: write unit, regress, isolation or tap" >&2
			return 2
			;;
	esac
}

run_kinds()
{
	local kind

	for kind in unit regress isolation tap; do
		run_kind "$kind"
	done
}

show_failure()
{
	local file name

	grep -v '^ok ' "$1" | tail -n 60
	while read -r file; do
		echo "---- ${file#"$work"/}"
		head -n 300 "$file"
	done < <(find "$work/tree" -name regression.diffs)
	# of the files that prove's summary names: what the test said, then its servers
	while read -r name; do
		for file in "$work"/tree/tmp_check/log/{"regress_log_$name","$name"_*}; do
			if [ -f "$file" ]; then
				echo "---- the end of ${file#"$work"/}"
				tail -n 40 "$file"
			fi
		done
	done < <(sed -n 's,^test/t/\([^ ]*\)\.pl .*(Wstat: .*,\1,p' "$1")
	echo "---- the end of the server's log"
	tail -n 20 "$work/log/server"
	# not again with the next step's
	find "$work/tree" -name regression.diffs -delete
}

# One or more statements, as the superuser.
sql()
{
	as_postgres "$bindir/psql" --no-psqlrc --quiet --tuples-only --no-align --host="$work/tmp" \
		--username=postgres --dbname=postgres --command="$1"
}

# The line that counts, and whether all is well.
finish()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

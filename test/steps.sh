# shellcheck shell=bash
#
# test/steps.sh
#	The kinds of tests as steps that count: for the bash scripts that run make targets
#	of tests in a throw-away tree.  To be sourced after throwaway.sh.
#
# $passed and $failed add up what every step has counted.

# shellcheck disable=SC2154 # work, make and bindir are throwaway.sh's

passed=0
failed=0

# "PASSED FAILED" of what pg_regress (up to 15 in its own words, from 16 on in TAP)
# or a TAP producer has printed.
count()
{
	awk '
		/^ok [0-9]/ && !/# *[Ss][Kk][Ii][Pp]/		{ passed++ }
		/^not ok/ && !/# *TODO/						{ failed++ }
		/^(test |     )[^ ]+ +\.\.\. ok/			{ passed++ }
		/^(test |     )[^ ]+ +\.\.\. FAILED/		{ failed++ }
		END											{ print passed + 0, failed + 0 }' "$1"
}

# What the TAP tests have said.  They run side by side, being asleep most of the time,
# and each writes a log of its own.
tap_results()
{
	find "$work/tree" -path '*/tmp_check/log/regress_log_*' -exec \
		sed -n 's/^\[[0-9:.]*\]([0-9.]*s) \(not ok\|ok\) /\1 /p' {} +
}

# step NAME INPUTS TARGET...: one kind of test.  One that leaves without saying
# which test failed, or in silence though there are inputs, has failed once.
step()
{
	local name=$1 inputs=$2 log=$work/log/$1 status=0 step_passed step_failed
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
	read -r step_passed step_failed <<<"$(count "$log")"
	if [ "$step_failed" -eq 0 ] && { [ $status -ne 0 ] || [ "$step_passed" -eq 0 ]; }; then
		step_failed=1
	fi
	passed=$((passed + step_passed))
	failed=$((failed + step_failed))
	echo "$step_passed passed, $step_failed failed"
	if [ "$step_failed" -gt 0 ]; then
		show_failure "$log"
	fi
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
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

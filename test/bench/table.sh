# shellcheck shell=bash disable=SC2154,SC2034 # see the files that run sources before
#
# test/bench/table.sh
#	What has been measured, and the table that shows it.  To be sourced.
#
# A measurement is a number under a key; there is one per run.  A row of the table is
# made from a key's numbers, or from those of two keys in relation to each other, and
# may have a bar: the most that its median, or the largest of all, may be.  The rows of a
# part are printed as soon as they are there, because a run takes long.  A bar that
# nothing was measured for is shown, too.

declare -A samples=()
keys=()
met=0
missed=0
unmeasured=0

# note KEY NUMBER: one more measurement
note()
{
	case ${2:-} in
		'' | *[!0-9.-]*)
			echo "$1: not a number: '${2:-}'" >&2
			return 1
			;;
	esac
	if [ -z "${samples[$1]:-}" ]; then
		keys+=("$1")
	fi
	samples[$1]+="$2 "
}

# Numbers, one per line: their least, median and largest
summary()
{
	sort -g | awk '
		{ v[NR] = $1 }
		END { print v[1], (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[NR] }'
}

# summary_of KEY
summary_of()
{
	# shellcheck disable=SC2086 # a list
	printf '%s\n' ${samples[$1]} | summary
}

# line LABEL UNIT LEAST MEDIAN LARGEST BAR VERDICT, as they are printed
line()
{
	printf '  %-62s %-5s %9s %9s %9s  %-15s %s\n' "$@" | sed 's/ *$//'
}

# heading TEXT: of the rows that follow
heading()
{
	printf '\n%s\n' "$1"
}

# with three digits that mean something
shown()
{
	awk -v value="$1" 'BEGIN {
		size = value < 0 ? -value : value
		digits = size == int(size) || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
		printf "%." digits "f", value }'
}

# verdict VALUE MOST
verdict()
{
	if awk -v value="$1" -v most="$2" 'BEGIN { exit !(value <= most) }'; then
		met=$((met + 1))
		judged=met
	else
		missed=$((missed + 1))
		judged=MISSED
	fi
}

# row LABEL UNIT KEY [median|most BAR]
row()
{
	local least median most judged='' bar=''

	read -r least median most < <(summary_of "$3")
	if [ -n "${4:-}" ]; then
		verdict "${!4}" "$5"
		bar="$4 <= $5"
	fi
	line "$1" "$2" "$(shown "$least")" "$(shown "$median")" "$(shown "$most")" "$bar" "$judged"
}

# ratio LABEL KEY BASE [BAR]: least in relation to least, median to median
ratio()
{
	local least median base_least base_median judged='' bar=''

	read -r least median _ < <(summary_of "$2")
	read -r base_least base_median _ < <(summary_of "$3")
	least=$(awk -v a="$least" -v b="$base_least" 'BEGIN { printf "%.3f", a / b }')
	median=$(awk -v a="$median" -v b="$base_median" 'BEGIN { printf "%.3f", a / b }')
	if [ -n "${4:-}" ]; then
		verdict "$median" "$4"
		bar="median <= $4"
	fi
	line "  $1" ratio "$least" "$median" '' "$bar" "$judged"
}

# not_measured LABEL REASON [BAR]
not_measured()
{
	if [ -n "${3:-}" ]; then
		unmeasured=$((unmeasured + 1))
	fi
	line "$1" '' - - - "${3:+median <= $3}" "not measured: $2"
}

# The head of the table
columns()
{
	printf '\n'
	line '' unit min median most bar ''
}

# What comes after it: every single measurement, and how many bars were met.
count_bars()
{
	local key

	printf '\nall measurements, by run:\n'
	for key in "${keys[@]}"; do
		printf '  %-28s %s\n' "$key" "${samples[$key]}"
	done
	printf '\nbars: %d met, %d missed, %d not measured\n' "$met" "$missed" "$unmeasured"
}

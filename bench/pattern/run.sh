#!/bin/sh
# Compare stix/pattern with the OASIS matcher (stix2-matcher from PyPI) on the
# same cases, on this machine, one after the other. Usage: run.sh [SUITE]
# The rows named plain leave out the group of cases on which the reference tries
# all combinations. SUITE has cases.jsonl and observations/; the default is the published suite
# beside the module when it is there, else the package's own.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
suite=${1:-$root/../shared/data/stix-patterns}
[ -d "$suite" ] || suite=$root/stix/pattern/testdata/suite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install stix2-matcher==3.0.0 stix2-patterns==2.1.2
(cd "$root" && go test -run '^$' -bench 'Match|FromText' -benchtime 1s ./stix/pattern) >"$work/ours"
"$work/venv/bin/python" -W ignore "$root/bench/pattern/reference.py" "$suite" >"$work/theirs"
printf '%-20s %8s %16s %16s %10s\n' measured cases 'ours µs/case' 'theirs µs/case' 'times'
while read -r name nanoseconds cases; do
	ours=$(awk -v name="Benchmark$name" '{ split($1, parts, "-") } parts[1] == name { for (i = 1; i < NF; i++) if ($(i + 1) == "ns/case") print $i }' "$work/ours")
	awk -v name="$name" -v cases="$cases" -v ours="$ours" -v theirs="$nanoseconds" \
		'BEGIN { printf "%-20s %8d %15.2f %15.1f %10.0f\n", name, cases, ours / 1000, theirs / 1000, theirs / ours }'
done <"$work/theirs"

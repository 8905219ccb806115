#!/bin/sh
# Compares stix.Validate with stix2-validator on the same bundles in the same run, one core each, processor time.
# Usage: run.sh BUNDLE.json.gz…      (3.2.0 is the newest release on PyPI that carries its JSON schemas)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'stix2-validator==3.2.0'
(cd "$here" && go build -o "$work/stixvalidate" .)
"$work/stixvalidate" "$@" >"$work/ours"
"$work/venv/bin/python" "$here/reference.py" "$@" >"$work/theirs"
printf '%-32s %8s %14s %16s %8s\n' bundle objects 'mithaq obj/s' 'reference obj/s' times
paste -d' ' "$work/ours" "$work/theirs" | while read -r file n ours _ _ theirs; do
	printf '%-32s %8s %14s %16s %8.0f\n' "$file" "$n" "$ours" "$theirs" "$(echo "$ours / $theirs" | bc -l)"
done

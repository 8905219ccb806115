#!/usr/bin/env bash
# Tests the screens in a real Chromium: tools/screens.sh [FOLDER]
#
# Runs the demonstration in a throw-away folder and looks at it in three languages. With FOLDER, a picture of each screen in
# each language is left there; with ONLY=WORDS only the tests run whose names have them. Where Node or Chromium is missing it says so and tests nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
have=$(node --version 2>/dev/null | sed -nE 's/^v([0-9]+).*/\1/p' || true)
if [[ -z $browser ]] || ((${have:-0} < 20)); then echo "no Chromium or no Node 20 here: the screens are not looked at"; exit 0; fi
if [[ ! -d ui/node_modules/playwright-core ]] && ! npm --prefix ui install --no-save --no-audit --no-fund --loglevel=error; then
	echo "what drives the browser is not to be had: the screens are not looked at"
	exit 0
fi

scratch=$(mktemp -d)
started=()
finish() {
	for process in "${started[@]}"; do
		kill "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
	rm -rf "$scratch"
}
trap finish EXIT
go build -o "$scratch/mithaq" ./cmd/mithaq
"$scratch/mithaq" demo --dir "$scratch/demo" >"$scratch/out" 2>&1 &
demo=$!
started+=("$demo")
# A node of its own, for signing in: the demonstration has doors instead.
port=$((20000 + RANDOM % 20000))
"$scratch/mithaq" init --dir "$scratch/node" --name en=CERT-Sahlan --name ar=سهلان --listen "localhost:$port" >/dev/null
echo 'a dozen words' | "$scratch/mithaq" user add amal --dir "$scratch/node" --role analyst --password-stdin >/dev/null
"$scratch/mithaq" serve --dir "$scratch/node" >"$scratch/node.out" 2>&1 &
started+=("$!")
for _ in $(seq 300); do
	base=$(sed -nE 's#^open +(http://[^ /]+)/ .*#\1#p' "$scratch/out")
	[[ -z $base ]] || break
	kill -0 "$demo" 2>/dev/null || { cat "$scratch/out" >&2; exit 1; }
	sleep 0.2
done
[[ -n $base ]] || { cat "$scratch/out" >&2; echo "the demonstration did not come up" >&2; exit 1; }
cd ui
BASE=$base NODE=http://localhost:$port CHROMIUM=$browser SHOTS=${1:-} node --test --test-reporter=spec ${ONLY:+--test-name-pattern="$ONLY"} e2e/screens.test.mjs

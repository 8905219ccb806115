#!/usr/bin/env bash
# Tests the screens in a real Chromium: tools/screens.sh [FOLDER]
#
# Runs the demonstration in a throw-away folder and looks at it in three languages. With FOLDER, a picture of each screen in
# each language is left there; with ONLY=WORDS only the tests run whose names have them;
# with UNTIL=SECONDS (since 1970) those that would begin later are left out, and named. Where Node or Chromium is missing it says so and tests nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
have=$(node --version 2>/dev/null | sed -nE 's/^v([0-9]+).*/\1/p' || true)
if [[ -z $browser ]] || ((${have:-0} < 20)); then echo "no Chromium or no Node 20 here: the screens are not looked at"; exit 0; fi
if [[ ! -d ui/node_modules/playwright-core ]] && ! npm --prefix ui install --no-save --no-audit --no-fund --loglevel=error; then
	echo "what drives the browser is not to be had: the screens are not looked at"
	exit 0
fi

shots=${1:+$(mkdir -p "$1" && cd "$1" && pwd)}
scratch=$(mktemp -d)
started=()
finish() {
	for process in "${started[@]}"; do
		kill "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
	if [[ -s $scratch/node.pid ]]; then kill "$(<"$scratch/node.pid")" 2>/dev/null || true; fi
	rm -rf "$scratch"
}
trap finish EXIT
go build -o "$scratch/mithaq" ./cmd/mithaq
"$scratch/mithaq" demo --dir "$scratch/demo" >"$scratch/out" 2>&1 &
demo=$!
started+=("$demo")
# A node of its own, for signing in, for drafts of two officers, and for being stopped: the tests start it.
port=$((12000 + RANDOM % 20000)) # below those that the system hands out by itself
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((12000 + RANDOM % 20000)); done
node=$scratch/node
"$scratch/mithaq" init --dir "$node" --name en=CERT-Sahlan --name ar=سهلان --listen "localhost:$port" >/dev/null
cp ui/e2e/map.geojson "$node/map.geojson"
sed -i 's#^map_file = ""#map_file = "map.geojson"#' "$node/mithaq.toml"
"$scratch/mithaq" key add --dir "$node" --name en=Deputy --name ar=النائب --name fr=Adjoint >/dev/null
sed "s/\"US\"/\"$("$scratch/mithaq" party --dir "$node" --json | sed -nE 's/.*"id": ?"(p-[a-z2-7]+)".*/\1/p' | head -1)\"/" ui/e2e/register.toml >"$scratch/register.toml"
"$scratch/mithaq" agreement propose "$scratch/register.toml" --dir "$node" >/dev/null
officers=$("$scratch/mithaq" key list --dir "$node" | sed -nE 's/.*(k-[a-z2-7]{32}).* officer .*/\1/p; s/^officer .*(k-[a-z2-7]{32}).*/\1/p' | sort -u)
person() { echo 'a dozen words' | "$scratch/mithaq" user add "$1" --dir "$node" --role "$2" --shown "$3" ${4:+--officer "$4"} --password-stdin >/dev/null; }
person amal analyst Amal
person basim diplomat 'Basim Idris' "$(sed -n 1p <<<"$officers")"
person dana diplomat 'Dana Saleh' "$(sed -n 2p <<<"$officers")"
for _ in $(seq 600); do
	base=$(sed -nE 's#^open +(http://[^ /]+)/ .*#\1#p' "$scratch/out")
	[[ -z $base ]] || break
	kill -0 "$demo" 2>/dev/null || { cat "$scratch/out" >&2; exit 1; }
	sleep 0.2
done
[[ -n $base ]] || { cat "$scratch/out" >&2; echo "the demonstration did not come up" >&2; exit 1; }
cd ui
BASE=$base NODE=http://localhost:$port NODE_DIR=$node DEMO_DIR=$scratch/demo MITHAQ=$scratch/mithaq CHROMIUM=$browser SHOTS=$shots node --test --test-reporter=spec ${ONLY:+--test-name-pattern="$ONLY"} --test-concurrency=1 e2e/*.test.mjs

#!/usr/bin/env bash
# Builds the screens from their source into ui/dist: tools/ui.sh
#
#   tools/ui.sh            install what is pinned, generate the types of the API, check, test, build
#   tools/ui.sh --compare  the same into another folder, and fail when ui/dist differs from it
#
# Needs Node 20.19 or newer, npm and Go. The program itself needs none but Go: ui/dist is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
compare=${1:-}
[[ -z $compare || $compare == --compare ]] || { echo "usage: tools/ui.sh [--compare]" >&2; exit 2; }

out=dist
if [[ $compare ]]; then
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	out=$scratch/dist
fi
# What is installed already is left alone when it is what the lock file says.
if ! cmp -s ui/package-lock.json ui/node_modules/.installed; then
	# Not npm ci: it wants the lock file to name what other platforms need, which a registry may not have.
	npm --prefix ui install --no-save --no-audit --no-fund --loglevel=error
	cp ui/package-lock.json ui/node_modules/.installed
fi
go run ./cmd/mithaq openapi >ui/openapi.json
cd ui
npx openapi-typescript openapi.json -o src/lib/openapi.d.ts >/dev/null
npm run --silent check
npm run --silent test
npx vite build --logLevel warn --outDir "$out" --emptyOutDir
if [[ $compare ]]; then
	# Compared as text: how something is packed may differ from one machine to the next.
	cp -r dist "$scratch/have"
	find "$scratch/have" -name '*.gz' -exec gunzip {} +
	if ! diff -r "$scratch/have" "$out" >/dev/null; then
		echo "ui/dist is not what its source gives: run tools/ui.sh and commit" >&2
		diff -rq "$scratch/have" "$out" >&2 || true
		exit 1
	fi
	exit
fi
# Packed, what is embedded makes the program a third of a megabyte smaller.
find "$out" \( -name '*.js' -o -name '*.css' \) -exec gzip -9n {} +

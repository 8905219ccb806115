#!/bin/sh
# Runs a command with a throw-away PostgreSQL cluster and removes the cluster afterwards, however the command ends.
#
#   tools/postgres.sh go test ./internal/store ./internal/ledger
#
# The command finds the data source name in MITHAQ_TEST_POSTGRES. PostgreSQL refuses to run as root, so as root the
# cluster runs as the user "postgres". PG_BIN names the folder of initdb and pg_ctl when it is not Debian's.
set -eu

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARG…]" >&2; exit 2; }

bin=${PG_BIN:-}
if [ -z "$bin" ]; then
	for d in /usr/lib/postgresql/*/bin; do [ -x "$d/initdb" ] && bin=$d; done
fi
if [ -z "$bin" ] && command -v initdb >/dev/null 2>&1; then bin=$(dirname "$(command -v initdb)"); fi
[ -n "$bin" ] || { echo "$0: PostgreSQL is not installed (Debian: apt install postgresql)" >&2; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/mithaq-pg.XXXXXX")
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
	chown postgres "$dir"
	as() { runuser -u postgres -- "$@"; }
fi

stop() {
	trap - EXIT INT TERM HUP
	(cd "$dir" && as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1) || :
	rm -rf "$dir"
}
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM HUP

(
	cd "$dir"
	as "$bin/initdb" -D "$dir/data" -U mithaq -A trust -E UTF8 --no-locale >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
	as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/data/server.log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$dir'" start >"$dir/log" 2>&1 || { cat "$dir/log" "$dir/data/server.log" >&2; exit 1; }
	as "$bin/createdb" -h "$dir" -U mithaq mithaq
)

MITHAQ_TEST_POSTGRES="postgres:///mithaq?host=$dir&user=mithaq" "$@"

#!/bin/sh
# Compares a node (SQLite file, signed log, index, decisions, all on) with medallion (memory backend) and opentaxii (gunicorn,
# SQLite, and PostgreSQL when its server is installed): posting in batches of 1,000, until all of it is listed; after five seconds of rest draining with
# limit 1,000 (again and again for two seconds, so that little of it is told apart from nothing), the median of the first and of
# the last twenty pages of the first time, the median of an empty poll; for posting and draining the server's processor time an object as well, its
# workers' included, which other work on the machine changes least. Same objects, same requests, loopback, one server at a time.
# Peers come from PyPI into a virtual environment; one that does not install or start is left out, and the table says so.
# Below the table: the processor time, memory and files that the node took.
#
# POSTERS is how many clients post at once (1). PEERS names who is compared with ("medallion opentaxii"): medallion takes minutes for a page of a collection of 10,000.
#
#   bench/taxii/run.sh [SECONDS] [N…]          SECONDS bounds each measurement (60); N: 1000 10000; over 100000: the node alone
set -u

cd "$(dirname "$0")/../.."
peers=${PEERS-medallion opentaxii}
bound=${1:-60}; [ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- 1000 10000
work=$(mktemp -d "${TMPDIR:-/tmp}/taxii-bench.XXXXXX")
server=
halt() { [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; server=; }
trap 'halt; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

go build -o "$work/bench" ./bench/taxii || exit 1
cache=${MITHAQ_TAXII_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/mithaq/taxii-peers}
install() { # name, import, packages
	venv=$cache/$1 import=$2; shift 2
	"$venv/bin/python" -c "import $import" 2>/dev/null && return
	python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}
up() { # URL: wait until somebody answers, whatever it says
	for _ in $(seq 100); do
		curl -s -o /dev/null "$1" && return
		sleep 0.1
	done
	return 1
}
id=91a7b528-80eb-42ed-a74d-c6fbd5a26116
basic="Basic $(printf 'ann:pw' | base64)"
sql() { # DATABASE STATEMENT: an id comes out with its dashes
	"$cache/opentaxii/bin/python" - "$1" "$2" <<-PY
		import sys, uuid, sqlalchemy
		with sqlalchemy.create_engine(sys.argv[1]).begin() as db:
		    answer = db.execute(sqlalchemy.text(sys.argv[2]))
		    for row in answer if answer.returns_rows else []:
		        print(uuid.UUID(str(row[0])))
	PY
}
drive() { "$work/bench" drive -posters "${POSTERS:-1}" -t "${bound}s" -n "$n" -pid "$server" -post "$@" || echo "| $2 | $n | failed | | | | | | |"; }

# postgres BIN: a server of our own in $work/pg, with an empty database for each scope. As root it runs as nobody.
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi; }
postgres() {
	rm -rf "$work/pg"; mkdir -p "$work/pg"; chmod 711 "$work"
	[ "$(id -u)" = 0 ] && chown 65534:65534 "$work/pg"
	as "$1/initdb" -D "$work/pg/data" -U bench --auth=trust >"$work/pg.log" 2>&1 &&
		as "$1/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" -o "-p 9313 -k $work/pg -h 127.0.0.1" start >>"$work/pg.log" 2>&1 &&
		as "$1/createdb" -h 127.0.0.1 -p 9313 -U bench auth && as "$1/createdb" -h 127.0.0.1 -p 9313 -U bench taxii2
}
unpostgres() { as "$1/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1; }

# opentaxii NAME AUTH-DATABASE DATABASE
opentaxii() {
	if ! install opentaxii opentaxii,psycopg2 opentaxii==0.9.3 gunicorn psycopg2-binary; then
		echo "| opentaxii ($1) | $n | does not install | | | | | | |"
		return
	fi
	rm -f "$work"/*.db
	cat >"$work/opentaxii.yml" <<-YAML
		domain: "127.0.0.1:9312"
		support_basic_auth: yes
		return_server_error_details: no
		auth_api:
		  class: opentaxii.auth.sqldb.SQLDatabaseAPI
		  parameters: {db_connection: "$2", create_tables: yes, secret: bench}
		taxii1:
		taxii2:
		  title: Bench
		  public_discovery: true
		  allow_custom_properties: true
		  max_content_length: 20000000
		  persistence_api:
		    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
		    parameters: {db_connection: "$3", create_tables: yes}
		logging: {opentaxii: error, root: error}
	YAML
	export OPENTAXII_CONFIG="$work/opentaxii.yml"
	bin=$cache/opentaxii/bin
	{
		"$bin/opentaxii-create-account" -u ann -p pw --admin
		"$bin/opentaxii-add-api-root" -t Bench
		root=$(sql "$3" "select id from opentaxii_api_root")
		sql "$3" "update opentaxii_api_root set is_public = true"
		"$bin/opentaxii-add-collection" -r "$root" -t Bench --public --public-write
		coll=$(sql "$3" "select id from opentaxii_collection")
	} >"$work/opentaxii.log" 2>&1
	# Its status resource holds a UUID that json refuses under current SQLAlchemy; without this every POST ends in 500.
	printf 'import json\njson.JSONEncoder.default = lambda self, o: str(o)\nfrom opentaxii.http import app\n' >"$work/shim.py"
	"$bin/gunicorn" --chdir "$work" shim:app -w 2 -t 600 -b 127.0.0.1:9312 >>"$work/opentaxii.log" 2>&1 & server=$!
	if up http://127.0.0.1:9312/taxii2/; then
		drive -name "opentaxii ($1)" -auth "$basic" -collection "http://127.0.0.1:9312/taxii2/$root/collections/$coll/"
	else
		echo "| opentaxii ($1) | $n | does not start | | | | | | |"
	fi
	halt
	[ -n "${KEEP_LOGS:-}" ] && cp "$work"/*.log "$KEEP_LOGS"
}

cpu() { awk '{print ($14 + $15) * 10}' "/proc/$server/stat" 2>/dev/null; } # milliseconds, at 100 ticks a second

echo '| server | N | post, objects/s | listed, objects/s | posted and listed, CPU µs an object | drain, objects/s | drain, CPU µs an object | first, last pages, ms | empty poll, ms |'
echo '| --- | --- | --- | --- | --- | --- | --- | --- | --- |'
notes="$(cut -d' ' -f1-3 /proc/loadavg) load at the beginning"
for n in "$@"; do
	rm -rf "$work/node"
	"$work/bench" node -dir "$work/node" -addr 127.0.0.1:9310 & server=$!
	if up http://127.0.0.1:9310/healthz; then
		before=$(cpu)
		drive -name 'mithaq (node)' -auth "Bearer $(cat "$work/node/token")" -collection http://127.0.0.1:9310/taxii2/agreements/collections/own/
		notes="$notes
node, N = $n: $(( $(cpu) - before )) ms of processor time for all of it, $(awk '/VmRSS/ {print int($2/1024)}' "/proc/$server/status") MB resident ($(awk '/VmHWM/ {print int($2/1024)}' "/proc/$server/status") at most)"
	fi
	halt
	notes="$notes, $(du -sk "$work/node" | cut -f1) KiB of files for $("$work/bench" size -n "$n") KiB of JSON"
	[ "$n" -le 100000 ] || continue

	case $peers in *medallion*)
	if install medallion medallion medallion==3.0.0; then
		"$work/bench" medallion >"$work/data.json"
		cat >"$work/medallion.json" <<-JSON
			{"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": "$work/data.json"},
			 "users": {"ann": "pw"}, "taxii": {"max_page_size": 1000, "interop_requirements": false}}
		JSON
		"$cache/medallion/bin/medallion" --host 127.0.0.1 --port 9311 "$work/medallion.json" >"$work/medallion.log" 2>&1 & server=$!
		if up http://127.0.0.1:9311/; then
			drive -name medallion -auth "$basic" -collection "http://127.0.0.1:9311/api1/collections/$id/"
		else
			echo "| medallion | $n | does not start | | | | | | |"
		fi
		halt
	else
		echo "| medallion | $n | does not install | | | | | | |"
	fi ;;
	esac
	case $peers in *opentaxii*) ;; *) continue ;; esac

	opentaxii sqlite "sqlite:///$work/auth.db" "sqlite:///$work/taxii2.db"
	if pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1) && [ -n "$pg" ] && postgres "$pg"; then
		opentaxii PostgreSQL "postgresql+psycopg2://bench@127.0.0.1:9313/auth" "postgresql+psycopg2://bench@127.0.0.1:9313/taxii2"
		unpostgres "$pg"
	else
		echo "| opentaxii (PostgreSQL) | $n | PostgreSQL is not installed | | | | | | |"
	fi
done
echo "$notes
$(cut -d' ' -f1-3 /proc/loadavg) load at the end"

#!/bin/sh
# Compares our TAXII server (memory backend) with medallion (memory backend) and opentaxii (gunicorn, SQLite): posting in
# batches of 1,000, draining with limit 1,000, and the median of an empty poll. Same objects, same requests, loopback, one
# server at a time. Peers come from PyPI into a virtual environment; one that does not install or start is left out, and
# the table says so.
#
#   bench/taxii/run.sh [SECONDS] [N…]          SECONDS bounds each measurement (60); N: 1000 10000
set -u

cd "$(dirname "$0")/../.."
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
sql() { # one statement on opentaxii's database; an id comes out with its dashes
	"$cache/opentaxii/bin/python" - "$work/taxii2.db" "$1" <<-PY
		import sqlite3, sys, uuid
		db = sqlite3.connect(sys.argv[1])
		for row in db.execute(sys.argv[2]):
		    print(uuid.UUID(row[0]))
		db.commit()
	PY
}
drive() { "$work/bench" drive -t "${bound}s" -n "$n" -post "$@" || echo "| $2 | $n | failed | | |"; }

echo '| server | N | post, objects/s | drain, objects/s | empty poll, ms |'
echo '| --- | --- | --- | --- | --- |'
for n in "$@"; do
	"$work/bench" serve -addr 127.0.0.1:9310 & server=$!
	up http://127.0.0.1:9310/ && drive -name mithaq -auth "$basic" -collection "http://127.0.0.1:9310/taxii2/api1/collections/$id/"
	halt

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
			echo "| medallion | $n | does not start | | |"
		fi
		halt
	else
		echo "| medallion | $n | does not install | | |"
	fi

	if install opentaxii opentaxii opentaxii==0.9.3 gunicorn; then
		rm -f "$work"/*.db
		cat >"$work/opentaxii.yml" <<-YAML
			domain: "127.0.0.1:9312"
			support_basic_auth: yes
			return_server_error_details: no
			auth_api:
			  class: opentaxii.auth.sqldb.SQLDatabaseAPI
			  parameters: {db_connection: "sqlite:///$work/auth.db", create_tables: yes, secret: bench}
			taxii1:
			taxii2:
			  title: Bench
			  public_discovery: true
			  allow_custom_properties: true
			  max_content_length: 20000000
			  persistence_api:
			    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
			    parameters: {db_connection: "sqlite:///$work/taxii2.db", create_tables: yes}
			logging: {opentaxii: error, root: error}
		YAML
		export OPENTAXII_CONFIG="$work/opentaxii.yml"
		bin=$cache/opentaxii/bin
		{
			"$bin/opentaxii-create-account" -u ann -p pw --admin
			"$bin/opentaxii-add-api-root" -t Bench
			root=$(sql "select id from opentaxii_api_root")
			sql "update opentaxii_api_root set is_public = 1"
			"$bin/opentaxii-add-collection" -r "$root" -t Bench --public --public-write
			coll=$(sql "select id from opentaxii_collection")
		} >"$work/opentaxii.log" 2>&1
		# Its status resource holds a UUID that json refuses under current SQLAlchemy; without this every POST ends in 500.
		printf 'import json\njson.JSONEncoder.default = lambda self, o: str(o)\nfrom opentaxii.http import app\n' >"$work/shim.py"
		"$bin/gunicorn" --chdir "$work" shim:app -w 2 -t 600 -b 127.0.0.1:9312 >>"$work/opentaxii.log" 2>&1 & server=$!
		if up http://127.0.0.1:9312/taxii2/; then
			drive -name 'opentaxii (SQLite)' -auth "$basic" -collection "http://127.0.0.1:9312/taxii2/$root/collections/$coll/"
		else
			echo "| opentaxii | $n | does not start | | |"
		fi
		halt
		[ -n "${KEEP_LOGS:-}" ] && cp "$work"/*.log "$KEEP_LOGS"
	else
		echo "| opentaxii | $n | does not install | | |"
	fi
done

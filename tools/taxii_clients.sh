#!/bin/sh
# Runs a command with TAXII clients that others wrote at hand: taxii2-client and stix2, from PyPI, in a virtual environment
# that is made once and kept. The command finds its interpreter in MITHAQ_TAXII_PYTHON.
#
#   tools/taxii_clients.sh go test ./taxii -run ForeignClients -v
set -eu

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARG…]" >&2; exit 2; }
command -v python3 >/dev/null 2>&1 || { echo "$0: python3 is not installed" >&2; exit 1; }

venv=${MITHAQ_TAXII_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/mithaq/taxii-clients}
if ! "$venv/bin/python" -c 'import taxii2client, stix2' 2>/dev/null; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check taxii2-client==2.3.0 stix2==3.0.2
fi
MITHAQ_TAXII_PYTHON="$venv/bin/python" exec "$@"

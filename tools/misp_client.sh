#!/bin/sh
# Runs a command with PyMISP, the client that MISP itself publishes, from PyPI, in a virtual environment
# that is made once and kept. The command finds its interpreter in MITHAQ_MISP_PYTHON.
#
#   tools/misp_client.sh go test ./internal/exchange/misp -run PyMISP -v
set -eu

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARG…]" >&2; exit 2; }
command -v python3 >/dev/null 2>&1 || { echo "$0: python3 is not installed" >&2; exit 1; }

venv=${MITHAQ_MISP_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/mithaq/pymisp}
if ! "$venv/bin/python" -c 'import pymisp' 2>/dev/null; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check pymisp==2.5.34.4
fi
MITHAQ_MISP_PYTHON="$venv/bin/python" exec "$@"

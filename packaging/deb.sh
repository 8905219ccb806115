#!/usr/bin/env bash
# Makes a Debian package of the static binary, with the unit: packaging/deb.sh VERSION [ARCHITECTURE] [FOLDER]
# Needs Go and dpkg-deb. The package has no scripts: the unit's user exists while the program runs, and nothing is
# started before a person has run mithaq init.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?the version, for example 0.1.0}
architecture=${2:-$(go env GOARCH)}
folder=$(realpath "${3:-.}")
[[ $version =~ ^[0-9][0-9A-Za-z.+~-]*$ ]] || { echo "a Debian version begins with a digit: $version" >&2; exit 2; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"

GOOS=linux GOARCH=$architecture CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$root/usr/bin/mithaq" ./cmd/mithaq
install -D -m 0644 packaging/mithaq.service "$root/usr/lib/systemd/system/mithaq.service"
install -D -m 0644 LICENSE "$root/usr/share/doc/mithaq/copyright"
install -D -m 0644 CHANGELOG.md "$root/usr/share/doc/mithaq/NEWS"
install -d -m 0755 "$root/etc/mithaq" "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: mithaq
Version: $version
Architecture: $architecture
Section: net
Priority: optional
Maintainer: the authors of mithaq <mithaq@localhost>
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Suggests: postgresql
Description: run a cyber-cooperation agreement
 Each party of an agreement runs mithaq to share threat intelligence, report,
 ask for help and answer on time under the agreement's own rules, and to prove
 later what was said, to whom and when.
CONTROL
dpkg-deb --root-owner-group --build "$root" "$folder/mithaq_${version}_$architecture.deb"

#!/usr/bin/env bash
# Installs those of the listed Debian packages that are missing, and starts no service while it does.
# Usage: install-packages.sh LIST...     (files with one package a line, # begins a comment)
# As root, or with sudo. Does nothing, and needs nothing, when all are there.
set -euo pipefail

missing=()
while IFS= read -r package; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@")

if [ "${#missing[@]}" -eq 0 ]; then
    echo "nothing is missing"
    exit 0
fi
echo "missing: ${missing[*]}"

become=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "This needs root. Run as root: apt-get install ${missing[*]}" >&2
        exit 77
    fi
    become=(sudo)
fi

# A package that brings a service would start it: a policy of ours says no, unless the machine has its own.
policy=/usr/sbin/policy-rc.d
ours=no
cleanup() {
    if [ "$ours" = yes ]; then "${become[@]}" rm -f "$policy"; fi
}
trap cleanup EXIT
if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${become[@]}" tee "$policy" >/dev/null
    "${become[@]}" chmod 755 "$policy"
fi

"${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
"${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
    install --no-install-recommends "${missing[@]}"

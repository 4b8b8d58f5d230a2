#!/usr/bin/env bash
# Fetches what drives the browser into build/web, at the version and checksum of the lock file; no browser is
# downloaded, Debian's chromium is used. Does nothing when it is there, or when there is no npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v npm >/dev/null; then
    echo "no npm: the tests of the page are skipped"
    exit 0
fi
mkdir -p build/web
if [ -d build/web/node_modules/playwright-core ] && cmp -s tests/web/package-lock.json build/web/package-lock.json; then
    echo "playwright-core is there"
    exit 0
fi
cp tests/web/package.json tests/web/package-lock.json build/web/
npm ci --prefix build/web --ignore-scripts --no-audit --no-fund

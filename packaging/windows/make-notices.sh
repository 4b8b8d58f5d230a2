#!/usr/bin/env bash
# Writes the notices that go with the Windows programs, which have their libraries inside: what they are, how a changed one is put
# in, and each licence as its authors wrote it.
#
#   make-notices.sh PREFIX >THIRD-PARTY.txt        PREFIX is what build-deps.sh printed
set -euo pipefail
if [ $# -ne 1 ] || [ ! -r "$1/VERSIONS" ]; then
    sed -n '5s/^# *//p' "${BASH_SOURCE[0]}" >&2
    exit 64
fi
prefix=$1

cat <<'TEXT'
Postern for Windows: the libraries in it

posternd.exe, postern.exe and postern-sendmail.exe are linked statically with these, compiled without changes from the sources named:

TEXT
sed 's/^/    /' "$prefix/VERSIONS"
cat <<'TEXT'

Two of them are under the GNU Lesser (or Library) General Public License: GNU libiconv and GNU Libidn. You may change them, link the
programs anew with your version, and take the result apart to find its errors. For that you need: the sources of Postern of the
same version, in which packaging/windows/sources.txt names every source package and packaging/windows/build-deps.sh compiles it; put your version of the
library into its place there, run that script and "cmake --preset windows-mingw". Whoever got these programs without the sources has
them for the asking from whom he got them, for three years.

TEXT
for licence in "$prefix"/licences/*.txt; do
    case $(basename "$licence" .txt) in googletest) continue ;; esac # it is in the tests only
    printf -- '------------------------------------------------------------------------\n%s\n\n' "$(basename "$licence" .txt)"
    cat "$licence"
    printf '\n'
done

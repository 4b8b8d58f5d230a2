#!/usr/bin/env bash
# Makes the Debian package: build/package/package/postern_VERSION_ARCH.deb. The same sources and the same build machine give the same bytes.
# Usage: make-deb.sh                        builds the preset "package" first
#        make-deb.sh --from BUILD FOLDER [OPTION...]    packs what is built in BUILD, into FOLDER; options are cpack's
# Needs packaging/debian-build-packages.txt, and dpkg-dev.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# Times in the package: of the commit, or in an unpacked tarball of the newest change.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    # A tarball that was unpacked inside of another clone has nothing to do with that one.
    if [ "$(git -C "$source" rev-parse --show-toplevel 2>/dev/null)" = "$source" ]; then
        SOURCE_DATE_EPOCH=$(git -C "$source" log -1 --format=%ct)
    else
        SOURCE_DATE_EPOCH=$(stat -c %Y "$source/CMakeLists.txt")
    fi
fi
export SOURCE_DATE_EPOCH

if [ $# -eq 0 ]; then
    cd "$source"
    # Nobody's cache stands between the sources and what is shipped.
    CCACHE_DISABLE=1 cmake --preset package
    CCACHE_DISABLE=1 nice ninja -C build/package
    build=$source/build/package folder=$source/build/package/package
elif [ $# -ge 3 ] && [ "$1" = --from ]; then
    build=$(cd "$2" && pwd)
    mkdir -p "$3"
    folder=$(cd "$3" && pwd)
    shift 3
else
    sed -n '3,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 64
fi

umask 022
cpack --config "$build/CPackConfig.cmake" -G DEB -B "$folder" "$@"
rm -rf "$folder/_CPack_Packages"
(cd "$folder" && sha256sum ./*.deb)

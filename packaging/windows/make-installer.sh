#!/usr/bin/env bash
# Makes the installer for Windows, build/windows-mingw/installer/postern-VERSION-setup.exe, from what the preset windows-mingw has
# built: the four programs, documents, licences, the first configuration.
#
#   make-installer.sh [BUILD]         BUILD: the build's folder; default: build/windows-mingw
#
# POSTERN_SIGN_COMMAND is called with each file that Windows wants signed, one at a time: the programs, the uninstaller and the installer. It
# signs the file in its place. POSTERN_WINDOWS_PREFIX is the folder of build-deps.sh, whose licences go along. SOURCE_DATE_EPOCH is kept.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-$root/build/windows-mingw}
prefix=${POSTERN_WINDOWS_PREFIX:-$("$here/build-deps.sh" --where)}
if [ ! -r "$prefix/VERSIONS" ]; then
    echo "make-installer.sh: no libraries in $prefix: run packaging/windows/build-deps.sh" >&2
    exit 69
fi
version=${POSTERN_INSTALLER_VERSION:-$(sed -n 's/^project(postern VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")}
stage=$build/installer/stage
setup=$build/installer/postern-$version-setup.exe

# A text that is opened with a double click has the line ends that every Notepad knows.
with_crlf() {
    sed 's/\r$//; s/$/\r/'
}

# The paths of the first configuration, as texts of TOML that no backslash troubles. The installer puts the machine's folders in.
first_configuration() {
    sed -e "s|\"/var/lib/postern\"|'@DATA@\\\\data'|" \
        -e "s|\"/var/spool/postern/postoffice\"|'@DATA@\\\\out\\\\postoffice'|" \
        -e 's|/usr/share/doc/postern/examples/adapters|@PROGRAM@\\doc\\examples\\adapters|' \
        -e '/^# An adapter hands/,/^# .*folders.conf/c\# An adapter hands mail over to a legacy system, a route leads to it. The service may write to data, spool, log and out beside this\n# file; give its account, NT SERVICE\\posternd, rights to other folders: icacls FOLDER /grant "NT SERVICE\\posternd:(OI)(CI)M"' \
        "$root/packaging/config/first.toml"
}

rm -rf "$stage" && mkdir -p "$stage/doc/examples"
for program in posternd postern postern-sendmail postern-runner; do
    found=$(find "$build" -name "$program.exe" -not -path "$stage/*" -not -path '*/tests/*' -print -quit)
    if [ -z "$found" ]; then
        echo "make-installer.sh: no $program.exe in $build: build the preset windows-mingw" >&2
        exit 69
    fi
    x86_64-w64-mingw32-strip -o "$stage/$program.exe" "$found"
    if [ -n "${POSTERN_SIGN_COMMAND:-}" ]; then "$POSTERN_SIGN_COMMAND" "$stage/$program.exe"; fi
done
with_crlf <"$root/LICENSE" >"$stage/LICENSE.txt"
{
    "$here/make-notices.sh" "$prefix"
    printf -- '------------------------------------------------------------------------\nzoneinfo\n\n'
    cat /usr/share/doc/tzdata/copyright
} | with_crlf >"$stage/THIRD-PARTY.txt"
# Names of time zones, which Windows has in another form: base/time_zone.h reads these.
mkdir "$stage/zoneinfo"
tar -C /usr/share/zoneinfo --dereference --exclude=./posix --exclude=./right --exclude='*.tab' --exclude='*.zi' --exclude=./localtime \
    --exclude='./leap*' --exclude=./posixrules -cf - . | tar -C "$stage/zoneinfo" -xf -
first_configuration | with_crlf >"$stage/first.toml"
if grep -qE '/(usr|var|etc)/' "$stage/first.toml"; then
    echo "make-installer.sh: packaging/config/first.toml names a place that Windows does not have" >&2
    exit 1
fi
cp "$root/README.md" "$stage/"
# README.md links docs/..., the documents one another and the sources.
cp -r "$root/docs" "$stage/doc/docs"
cp -r "$root/packaging/config/examples" "$stage/doc/examples/adapters"

options=("-DVERSION=$version" "-DSTAGE=$stage" "-DOUTPUT=$setup")
if [ -n "${POSTERN_SIGN_COMMAND:-}" ]; then options+=("-DSIGN=$POSTERN_SIGN_COMMAND"); fi
makensis -V2 -NOCD "${options[@]}" "$here/postern.nsi"
if [ -n "${POSTERN_SIGN_COMMAND:-}" ]; then "$POSTERN_SIGN_COMMAND" "$setup"; fi
echo "$setup"

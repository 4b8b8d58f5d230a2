#!/usr/bin/env bash
# Runs a Windows program under Wine, as an ordinary user and without a display: root may write what is read-only, which Windows
# programs do not expect. CMake and ctest call it for each program of the windows-mingw build.
#
#   wine-run.sh PROGRAM.exe [ARGUMENT...]
#
# POSTERN_WINE_HOME is the folder with Wine's prefix (some 700 MB; made when missing, in fifteen seconds); otherwise it is one for each
# user below the folder for temporary files. Called by root it goes on as "nobody". The exit status is the program's.
set -euo pipefail

home=${POSTERN_WINE_HOME:-${TMPDIR:-/tmp}/postern-wine-$(id -u)}
become=()
if [ "$(id -u)" -eq 0 ]; then
    become=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    mkdir -p "$home" && chown nobody:nogroup "$home"
fi
# No display, no questions about other runtimes, no menus, and nothing of the caller's own.
variables=("HOME=$home" "USER=nobody" "LOGNAME=nobody" "WINEPREFIX=$home/prefix" WINEARCH=win64 "WINEDEBUG=${WINEDEBUG:--all}" DISPLAY=
    "WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=" "XDG_RUNTIME_DIR=$home")
wine=$(command -v wine || command -v wine64 || echo /usr/lib/wine/wine64)

mkdir -p "$home"
exec 9>"$home.lock"
flock 9
if [ ! -e "$home/prefix/postern-ready" ]; then
    echo "wine-run.sh: making $home/prefix" >&2
    "${become[@]}" env "${variables[@]}" "$wine" wineboot -i >"$home.log" 2>&1 9>&-
    "${become[@]}" env "${variables[@]}" "$(command -v wineserver || echo /usr/lib/wine/wineserver64)" -w 9>&-
    "${become[@]}" touch "$home/prefix/postern-ready"
fi
flock -u 9
exec 9>&-
exec "${become[@]}" env "${variables[@]}" "$wine" "$@"

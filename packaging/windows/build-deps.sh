#!/usr/bin/env bash
# Builds what Postern links for Windows, as static libraries, into one folder: Poco with TLS, OpenSSL, SQLite, libidn, GNU
# libiconv and GoogleTest, from the sources named in sources.txt. Some eight minutes on two cores; what is there is not made again.
#
#   packaging/windows/build-deps.sh            makes it where --where says, and prints that
#   packaging/windows/build-deps.sh --where    prints the folder, which need not be there yet
#   packaging/windows/build-deps.sh --newest   the versions that the archive has now
#
# The folder's name has a key of the versions and of this folder's scripts: a change makes another one. POSTERN_WINDOWS_CACHE
# sets the folder around it. Needs the packages of packages.txt; changes nothing of the system, also not apt's lists.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
toolchain=$here/../../cmake/toolchain-mingw64.cmake
triplet=x86_64-w64-mingw32
jobs=$(nproc)

sources() { # KIND: its lines "name version sha256"
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/sources.txt" | awk -v kind="$1" '$1 == kind {print $2, $3, $4}'
}

version_of() { # NAME: without Debian's revision
    sed -e 's/#.*//' "$here/sources.txt" | awk -v name="$1" '$2 == name {sub(/^[0-9]+:/, "", $3); sub(/-[^-]*$/, "", $3); print $3}'
}

key() {
    { sed 's/#.*//' "$here/sources.txt" && cat "$here/build-deps.sh" "$here/poco_pch.h" "$here"/case-shim/* "$toolchain"; } |
        sha256sum | cut -c1-12
}

prefix=${POSTERN_WINDOWS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/postern}/windows-$(key)

# apt with sources of its own: the machine's entries, as deb-src, in a folder of ours.
apt_setup() {
    mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    for list in /etc/apt/sources.list.d/*.sources; do
        [ -e "$list" ] || continue
        sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/apt/parts/$(basename "$list")"
    done
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$list" ] || continue
        sed -n 's/^deb[[:space:]]/deb-src /p' "$list" >"$work/apt/parts/$(basename "$list" .list).list"
    done
    apt_options=(-q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work/apt/parts" -o "Dir::State::lists=$work/apt/lists"
        -o "Dir::Cache=$work/apt/cache" -o "APT::Sandbox::User=$(id -un)")
    apt-get "${apt_options[@]}" update >/dev/null
}

download() { # NAME VERSION OPTION...
    local name=$1 version=$2
    shift 2
    if ! apt-get "${apt_options[@]}" source --download-only "$@" "$name=$version" >"$work/fetch.log" 2>&1; then
        tail -n 5 "$work/fetch.log" >&2
        echo "build-deps.sh: $name $version can not be fetched; if the archive has a newer one (--newest), write it into sources.txt" >&2
        exit 69
    fi
}

fetch() {
    cd "$work/src"
    local name version sum
    while read -r name version _; do download "$name" "$version"; done < <(sources debian)
    while read -r name version _; do
        download "$name" "$version" --tar-only
        tar -xf "$name"_*.orig.tar.*[!c]
    done < <(sources tarball)
    # apt has checked the files against the archive's signed lists; dpkg-source has no key of the maintainers to do it again.
    for control in *.dsc; do dpkg-source --no-check -x "$control" >/dev/null; done
    while read -r name version sum; do
        npm pack --silent "$name@$version" >/dev/null
        echo "$sum  $name-$version.tgz" | sha256sum --check --quiet
        mkdir "$name-$version" && tar -xzf "$name-$version.tgz" -C "$name-$version" --strip-components=1
    done < <(sources npm)
}

cmake_build() { # SOURCE BUILD OPTION...
    local source=$1 build=$2
    shift 2
    cmake -S "$source" -B "$build" -G Ninja "-DCMAKE_TOOLCHAIN_FILE=$toolchain" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_INSTALL_PREFIX=$out" \
        "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG" "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG" -DBUILD_SHARED_LIBS=OFF "$@"
    ninja -C "$build" -j"$jobs" install
}

# write_pc NAME VERSION LIBS: what pkg-config is to say of it.
write_pc() {
    # shellcheck disable=SC2016 # pkg-config's variables, not ours
    printf 'prefix=${pcfiledir}/../..\nName: %s\nDescription: %s\nVersion: %s\nCflags: -I${prefix}/include\nLibs: -L${prefix}/lib %s\n' \
        "$1" "$1" "$2" "$3" >"$out/lib/pkgconfig/$1.pc"
}

build_googletest() { cmake_build "$work/src/googletest-$(version_of googletest)" "$work/googletest" -DBUILD_GMOCK=ON; }

build_sqlite() { # Debian has the canonical tree: the one file is made here
    mkdir "$work/sqlite" && cd "$work/sqlite"
    "$work/src/sqlite3-$(version_of sqlite3)/configure" --disable-readline --disable-tcl
    make sqlite3.c
    $triplet-gcc-posix -O2 -DNDEBUG -DSQLITE_THREADSAFE=1 -DSQLITE_DQS=0 -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_DBSTAT_VTAB \
        -c sqlite3.c -o sqlite3.o
    $triplet-ar rcs "$out/lib/libsqlite3.a" sqlite3.o
    cp sqlite3.h sqlite3ext.h "$out/include/"
    write_pc sqlite3 "$(version_of sqlite3)" -lsqlite3
}

build_iconv() {
    local source
    source=$work/src/iconv-$(version_of iconv)
    mkdir "$work/iconv" && cd "$work/iconv"
    local flags=(-O2 -w -DICONV_CONST=const -DENABLE_EXTRA=1 "-I$source/support" "-I$source/deps/libiconv/lib")
    $triplet-gcc-posix "${flags[@]}" -c "$source/deps/libiconv/lib/iconv.c" -o iconv.o
    $triplet-gcc-posix "${flags[@]}" -c "$source/support/localcharset.c" -o localcharset.o
    $triplet-ar rcs "$out/lib/libiconv.a" iconv.o localcharset.o
    sed 's/const char\* \* inbuf/char* * inbuf/' "$source/support/iconv.h" >"$out/include/iconv.h"
}

build_libidn() {
    mkdir "$work/libidn" && cd "$work/libidn"
    "$work/src/libidn-$(version_of libidn)/configure" --host=$triplet "--prefix=$out" CC=$triplet-gcc-posix --disable-shared --enable-static \
        --disable-nls --disable-doc --disable-java --disable-csharp CFLAGS=-O2 "CPPFLAGS=-I$out/include" "LDFLAGS=-L$out/lib"
    # This compiler's stdint.h is good enough for it to make none of its own, which its next rule wants to copy.
    echo '#include <stdint.h>' >lib/idn-int.h
    make -j"$jobs" -C lib/gl
    make -j"$jobs" -C lib
    make -C lib install
    write_pc libidn "$(version_of libidn)" -lidn
}

build_openssl() {
    mkdir "$work/openssl" && cd "$work/openssl"
    "$work/src/openssl-$(version_of openssl)/Configure" mingw64 "--prefix=$out" --libdir=lib --openssldir=C:/ssl CC=$triplet-gcc-posix \
        CXX=$triplet-g++-posix AR=$triplet-ar RANLIB=$triplet-ranlib RC=$triplet-windres WINDRES=$triplet-windres \
        no-shared no-tests no-legacy no-dso no-camellia no-seed no-aria no-sm2 no-sm4 no-idea no-mdc2 no-whirlpool no-gost no-srp \
        no-dtls no-cms no-ts no-ct no-cmp no-comp no-ssl3 no-engine -O2
    make -s -j"$jobs" build_generated
    make -s -j"$jobs" libcrypto.a libssl.a
    mkdir -p "$out/include/openssl"
    cp "$work/src/openssl-$(version_of openssl)"/include/openssl/*.h include/openssl/*.h "$out/include/openssl/"
    cp libcrypto.a libssl.a "$out/lib/"
}

build_poco() {
    local source
    source=$work/src/poco-$(version_of poco)
    mkdir -p "$work/poco/pch" && cp "$here/poco_pch.h" "$work/poco/pch/"
    $triplet-g++-posix -isystem "$here/case-shim" -D_WIN32_WINNT=0x0A00 -DWINVER=0x0A00 -O2 -DNDEBUG -std=gnu++14 -DPOCO_ENABLE_CPP11 \
        -DPOCO_ENABLE_CPP14 -DPOCO_OS_FAMILY_WINDOWS -DPOCO_STATIC -DUNICODE -D_UNICODE -I "$source/Foundation/include" \
        -x c++-header "$work/poco/pch/poco_pch.h" -o "$work/poco/pch/poco_pch.h.gch"
    local without=() part
    for part in TESTS MONGODB REDIS ZIP DATA DATA_SQLITE DATA_ODBC DATA_MYSQL DATA_POSTGRESQL ACTIVERECORD ACTIVERECORD_COMPILER \
        PAGECOMPILER PAGECOMPILER_FILE2PAGE ENCODINGS JWT; do
        without+=("-DENABLE_$part=OFF")
    done
    cmake_build "$source" "$work/poco" "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG -include $work/poco/pch/poco_pch.h" "${without[@]}" \
        -DENABLE_NETSSL=ON -DENABLE_CRYPTO=ON -DOPENSSL_USE_STATIC_LIBS=TRUE
}

# Headers alone: the installed Debian packages' own.
copy_headers() {
    cp -r /usr/include/CLI /usr/include/toml++ "$out/include/"
    mkdir -p "$out/share/cmake"
    cp -r /usr/share/cmake/CLI11 "$out/share/cmake/"
    write_pc tomlplusplus "$(pkg-config --modversion tomlplusplus)" ""
}

# The licences that go with what is linked, by the library's name, and where each source came from.
keep_licences() {
    mkdir -p "$out/licences"
    local name version
    while read -r name version _; do
        cp "$work/src/$name-$(version_of "$name")/debian/copyright" "$out/licences/$name.txt"
        echo "$name $version (Debian source package)"
    done < <(sources debian) >"$out/VERSIONS"
    while read -r name version _; do
        # The licence first (LICENSE.txt, COPYING.LESSERv2), in the order of the names.
        find "$work/src/$name-$(version_of "$name")" -maxdepth 1 \( -name 'LICENSE*' -o -name 'COPYING*' \) -print0 | sort -z |
            xargs -0 cat >"$out/licences/$name.txt"
        echo "$name $version (the upstream tarball in Debian's archive)"
    done < <(sources tarball) >>"$out/VERSIONS"
    cp /usr/share/common-licenses/LGPL-2 "$out/licences/iconv.txt"
    cp /usr/share/doc/libcli11-dev/copyright "$out/licences/cli11.txt"
    cp /usr/share/doc/libtomlplusplus-dev/copyright "$out/licences/tomlplusplus.txt"
    while read -r name version _; do
        echo "GNU libiconv, from the npm package $name $version"
    done < <(sources npm) >>"$out/VERSIONS"
    echo "compiled by $($triplet-g++-posix --version | head -n 1)" >>"$out/VERSIONS"
}

step() { # NAME FUNCTION: once, also when an earlier run got so far and was cut off
    local began=$SECONDS
    if [ -e "$out/done/$1" ]; then return; fi
    printf '  %s ...\n' "$1"
    # A function that is asked for its status has no "set -e" inside: so a shell of its own.
    ("$2" >"$work/$1.log" 2>&1) &
    if ! wait $!; then
        tail -n 40 "$work/$1.log" >&2
        echo "build-deps.sh: $1 failed" >&2
        exit 1
    fi
    if [ "$1" != sources ]; then touch "$out/done/$1"; fi
    printf '  %s: done in %d s\n' "$1" $((SECONDS - began))
}

make_prefix() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    out=$prefix.new
    mkdir -p "$work/src" "$out/include" "$out/lib/pkgconfig" "$out/done"
    export POSTERN_WINDOWS_PREFIX=$out
    apt_setup
    step sources fetch
    step googletest build_googletest
    step sqlite build_sqlite
    step iconv build_iconv
    step libidn build_libidn
    step headers copy_headers
    step openssl build_openssl
    step poco build_poco
    step licences keep_licences
    rm -r "$out/done"
    mv "$out" "$prefix"
}

case "${1:-}" in
    "")
        if [ ! -d "$prefix" ]; then make_prefix >&2; fi
        echo "$prefix"
        ;;
    --where) echo "$prefix" ;;
    --newest)
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        apt_setup
        while read -r name _; do
            echo "$name $(apt-cache "${apt_options[@]}" showsrc "$name" | sed -n 's/^Version: //p' | sort -V | tail -n 1)"
        done < <(sources debian && sources tarball)
        ;;
    *)
        sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 64
        ;;
esac

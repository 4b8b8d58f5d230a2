#!/usr/bin/env bash
# Each header can be included alone. Where a .cpp begins with it, the build itself proves that; all other
# headers are compiled here.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

compiler=${CXX:-g++}
alone=()
# "#include "x.h"" lines that stand first in some .cpp of a room.
begun=$(find "${rooms[@]}" tests -name '*.cpp' -exec grep -m1 -h -E '^#include' {} + | sort -u)
while IFS= read -r header; do
    grep -q '^#pragma once' "$header" || complain "$header:1: '#pragma once' is missing"
    own=${header%.h}.cpp
    first=""
    [ -f "$own" ] && first=$(grep -m1 -E '^#include' "$own" || true)
    if [ -f "$own" ] && [ "$first" != "#include \"$header\"" ]; then
        complain "$own:1: does not include its own header first"
    fi
    grep -qxF "#include \"$header\"" <<<"$begun" || alone+=("$header")
done < <(find "${rooms[@]}" -name '*.h' | sort)

# Headers of other people's libraries must not be needed to read ours, so nothing but the root is given.
if [ "${#alone[@]}" -gt 0 ]; then
    errors=$(mktemp)
    trap 'rm -f "$errors"' EXIT
    check_one="$compiler -std=c++20 -Wall -Wextra -fsyntax-only -I . -I include -include \"\$1\" -x c++ /dev/null"
    printf '%s\0' "${alone[@]}" |
        xargs -0 -n 1 -P "$(nproc)" bash -c "$check_one || echo \"\$1:1: can not be included alone\"" _ \
            >"$errors" 2>&1 || true
    while IFS= read -r line; do complain "$line"; done < <(grep -E 'error|can not be included' "$errors" | sed 's|^\./||' || true)
fi

finish

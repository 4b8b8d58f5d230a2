#!/usr/bin/env bash
# clang-format has the last word about layout.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t files < <(find "${rooms[@]}" tests -name '*.h' -o -name '*.cpp' | grep -v /build/ | sort)
while IFS= read -r line; do complain "$line"; done < <(
    clang-format-14 --dry-run "${files[@]}" 2>&1 | grep -E '^[^ ].*warning' | cut -d: -f1 | uniq -c |
        awk '{ n = $1; $1 = ""; sub(/^ /, ""); print $0 ":1: clang-format would change " n " place(s)" }')

finish

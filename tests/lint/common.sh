# Sourced by the lints: the checkout's root, its files, and one way to complain.
# Each lint says every fault as "file:line: text" and ends with 1 when there was any.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck disable=SC2034 # used by those who source this
rooms=(base net mail store queue adapters connector)
faults=0

complain() {
    printf '%s\n' "$*"
    faults=$((faults + 1))
}

# Turns the lines of a search into complaints: complain_each TEXT < "file:line:content" lines.
complain_each() {
    local line place
    while IFS= read -r line; do
        place=$(cut -d: -f1,2 <<<"$line")
        complain "$place: $1: $(cut -d: -f3- <<<"$line" | sed 's/^[[:space:]]*//')"
    done
}

# Our own text files, build trees and mail samples left out.
text_files() {
    find . \( -name .git -o -name build -o -name .cache -o -name __pycache__ -o -path ./tests/corpus \) -prune -o \
        -type f -print | sed 's|^\./||' | sort
}

finish() {
    if [ "$faults" -gt 0 ]; then
        printf '%d fault(s)\n' "$faults"
        exit 1
    fi
    printf 'clean\n'
}

#!/usr/bin/env bash
# Keeps the arrows of docs/ARCHITECTURE.md: which room may include which, which library and which system
# header may be seen where.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# One line per room: the rooms whose headers it may include.
allowed_for() {
    case $1 in
        base) echo "base" ;;
        net) echo "base net" ;;
        mail) echo "base mail" ;;
        store) echo "base store" ;;
        queue) echo "base store queue" ;;
        adapters) echo "base net mail adapters" ;;
        connector) echo "base net mail store queue adapters connector" ;;
    esac
}

# One line per library: its header's beginning, and the files that may include it.
library_homes() {
    echo "gmime/       ^mail/[^:]*\\.cpp:"
    echo "sqlite3\\.h   ^store/sqlite[^:]*\\.(cpp|h):"
    echo "toml\\+\\+/     ^connector/config/[^:]*\\.(cpp|h):"
    echo "CLI/         ^connector/cli/[^:]*\\.cpp:"
    echo "Poco/        ^(net|connector|adapters/extension)/[^:]*\\.cpp:"
    echo "Poco/Net/(Secure|SSL|Context)|Poco/Crypto/ ^net/[^:]*\\.cpp:"
    echo "openssl/     ^(base/digest|net/[^:]*)\\.cpp:"
    echo "stringprep\\.h ^connector/accounts/[^:]*\\.cpp:"
    echo "iconv\\.h     ^mail/[^:]*\\.cpp:"
}

includes_of() {
    grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.h' --include='*.cpp' "$@" || true
}

for room in "${rooms[@]}"; do
    allowed=$(allowed_for "$room" | tr ' ' '|')
    complain_each "the arrow from $room to this room does not exist" < <(
        includes_of "$room" | grep -E '#[[:space:]]*include "' | grep -vE "include \"($allowed|generated)/" |
            grep -vE 'include "schema_[0-9]+_[a-z_]+\.h"' || true)
done

while read -r header home; do
    complain_each "this library stays inside its own room's .cpp files" < <(
        includes_of "${rooms[@]}" | grep -E "include <$header" | grep -vE "$home" || true)
done < <(library_homes)

complain_each "a public header shows a library's type" < <(
    includes_of "${rooms[@]}" | grep -E '^[^:]*\.h:' | grep -E 'include <(gmime|sqlite3|toml\+\+|CLI|Poco|openssl|stringprep)' |
        grep -vE '^(store/sqlite|connector/config/tree)[^:]*\.h:' || true)

platform='(unistd|fcntl|dirent|poll|signal|pthread|pwd|grp|netdb|sched|termios|dlfcn|spawn|sysexits)\.h'
platform+='|(sys|linux|netinet|arpa|net)/[^>]*|(windows|winsock2|io|process)\.h'
complain_each "system headers live in base/ only" < <(
    includes_of "${rooms[@]}" | grep -vE '^base/' | grep -iE "include <($platform)>" || true)
complain_each "the platform is told apart in base/ only" < <(
    grep -rnE '\b(_WIN32|_WIN64|__linux__|__unix__|__APPLE__)\b' --include='*.h' --include='*.cpp' "${rooms[@]}" |
        grep -vE '^base/' || true)

finish

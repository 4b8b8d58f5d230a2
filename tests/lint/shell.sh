#!/usr/bin/env bash
# Every shell script passes shellcheck, and every script says what runs it and may be run.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts=()
while IFS= read -r file; do
    read -r first <"$file" || first=""
    case $first in
        '#!'*bash* | '#!'*/sh*) scripts+=("$file") ;;
        *) [[ $file == *.sh ]] && scripts+=("$file") ;;
    esac
    if [[ $first == '#!'* && ! -x $file ]]; then complain "$file:1: begins with #! but may not be run"; fi
done < <(text_files | grep -vE '\.(md|h|cpp|sql|txt|toml|json|cmake)$')

while IFS= read -r line; do complain "$line"; done < <(
    shellcheck --external-sources --source-path=SCRIPTDIR --format=gcc "${scripts[@]}" || true)

finish

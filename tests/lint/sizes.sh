#!/usr/bin/env bash
# No source file grows beyond what one sitting can read.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

limit=500
while IFS= read -r file; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt "$limit" ]; then complain "$file:$limit: $lines lines are more than $limit: split it"; fi
done < <(text_files | grep -E '\.(h|cpp|c|sql|sh|py|cmake)$|CMakeLists\.txt$|^(check|quickstart)$')

finish

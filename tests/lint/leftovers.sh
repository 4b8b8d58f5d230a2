#!/usr/bin/env bash
# Nothing half-done and nothing of one machine is left in the files.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Put together so that this file does not find itself.
words="\\b(TO""DO|FIX""ME|X""XX|HA""CK)\\b"
places="(^|[^A-Za-z0-9_.}-])/(wo""rk|ro""ot)/"

mapfile -t files < <(text_files)
complain_each "unfinished" < <(grep -nHIE "$words" -- "${files[@]}" || true)
complain_each "a path of one machine" < <(grep -nHIE "$places" -- "${files[@]}" || true)
complain_each "a merge was not finished" < <(grep -nHIE '^(<<<<<<<|>>>>>>>) ' -- "${files[@]}" || true)
complain_each "blanks at the end of the line" < <(
    grep -nHIE '[[:blank:]]+$' -- "${files[@]}" | grep -vE '^(tests/.*\.(txt|eml|dialogue|smtp|toml)|LICENSE):' || true)

# House rule: every wait has a deadline and an event; nothing sleeps. workInSlices() waits for nothing: its pause is
# what it is for. The slow disk of a test is no wait either: it is slow.
complain_each "sleeping is not waiting" < <(
    grep -rnE '\b(sleep_for|sleep_until|usleep|nanosleep)\b|::sleep\(' --include='*.h' --include='*.cpp' \
        "${rooms[@]}" tests | grep -vE '^(base/thread|tests/proof/slow_disk)\.cpp:' || true)

finish

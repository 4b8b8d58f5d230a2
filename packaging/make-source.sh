#!/usr/bin/env bash
# Makes the source tarball of the commit that is checked out: build/source/postern-VERSION.tar.gz, the same bytes each time.
# Usage: make-source.sh [FOLDER]      (where to put it instead)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:-build/source}
if ! commit=$(git rev-parse --verify HEAD 2>/dev/null); then
    echo "make-source.sh: this is no git clone, so there is nothing to make a tarball of" >&2
    exit 66
fi
version=$(git show "$commit:CMakeLists.txt" | sed -n 's/^project(postern VERSION \([0-9.]*\).*/\1/p')
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "make-source.sh: changes that are not committed are not in it" >&2
fi

mkdir -p "$folder"
name=postern-$version
# Files are as old as the commit and sorted by name; gzip is told to keep no time of its own.
git -c tar.umask=0022 archive --format=tar --prefix="$name/" "$commit" | gzip -9n >"$folder/$name.tar.gz.new"
mv "$folder/$name.tar.gz.new" "$folder/$name.tar.gz"
(cd "$folder" && sha256sum "$name.tar.gz")

#!/bin/sh
# make_package.sh BIN: builds dist/*.tar.gz from the tracked files, and dist/*.whl from that archive.
set -eu
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
source=$root/build/source

rm -rf "$source" "$root/dist"
mkdir -p "$source"
cd "$root"
# Only what git knows: no run, no cache and no half-written file gets into a package.
git ls-files -z | "$bin/python" "$here/copy_listed.py" "$source"
cp packaging/MANIFEST.in "$source/MANIFEST.in"
"$bin/python" -m build --no-isolation --outdir "$root/dist" "$source" >"$root/build/package.log" 2>&1 ||
    { tail -n 20 "$root/build/package.log"; echo "The build failed; all of it is in build/package.log."; exit 1; }
ls -l dist

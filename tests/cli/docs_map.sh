#!/bin/bash
# docs/architecture.md's file map names every source file, and nothing that is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
for f in vm/*.[ch] runtime/*.[ch] stdlib/*.[ch] cli/*.[ch] include/*.h; do
  grep -qF -- "- \`$f\`:" docs/architecture.md || { echo "docs/architecture.md misses $f"; bad=1; }
done
for f in $(sed -n 's/^- `\([a-z]*\/[a-z_0-9]*\.[ch]\)`:.*/\1/p' docs/architecture.md); do
  [ -e "$f" ] || { echo "docs/architecture.md names $f, which is not there"; bad=1; }
done
exit $bad

#!/bin/bash
# docs/architecture.md's file map names every source file, and nothing that is not there; the manual names every function.
set -u
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
bad=0
for f in vm/*.[ch] runtime/*.[ch] stdlib/*.[ch] cli/*.[ch] include/*.h; do
  grep -qF -- "- \`$f\`:" docs/architecture.md || { echo "docs/architecture.md misses $f"; bad=1; }
done
for f in $(sed -n 's/^- `\([a-z]*\/[a-z_0-9]*\.[ch]\)`:.*/\1/p' docs/architecture.md); do
  [ -e "$f" ] || { echo "docs/architecture.md names $f, which is not there"; bad=1; }
done
"$lungo" - >/tmp/lungo_names.$$ <<'EOF2'
for _, lib in ipairs { "sync", "atomic", "time", "context", "runtime", "chan" } do
  local t = _G[lib]
  if type(t) == "table" then for k in pairs(t) do print(lib, k) end end
end
EOF2
while read -r lib name; do
  grep -qE "\b$name\b" docs/manual.md || { echo "docs/manual.md misses $lib.$name"; bad=1; }
done </tmp/lungo_names.$$
rm -f /tmp/lungo_names.$$
exit $bad

#!/bin/bash
# The examples of docs/manual.md do what the manual says. A block that begins with ```lua is a complete program, run by
# itself, and prints exactly what stands behind its `-->` comments; one that begins with ```lua fragment must compile.
set -u
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
awk -v dir="$dir" '
  /^```lua/ { kind = ($0 == "```lua") ? "run" : ($0 == "```lua fragment") ? "fragment" : "unknown"
              file = sprintf("%s/%04d.%s", dir, NR, kind); printf "" > file; next }
  /^```/ { file = ""; next }
  file != "" { print > file }' docs/manual.md
bad=0
complain() { echo "docs/manual.md:$((10#$1)): $2"; bad=1; }
for f in "$dir"/*; do
  line=$(basename "$f") kind=${f##*.} line=${line%%.*}
  case $kind in
    run)
      sed -n 's/^.*--> \{0,1\}//p' "$f" >"$dir/want"
      [ -s "$dir/want" ] || complain "$line" "the example says nothing about its output, and is not marked as a fragment"
      timeout 60 "$lungo" "$f" >"$dir/out" 2>&1 || complain "$line" "exit status $?"
      diff "$dir/want" "$dir/out" || complain "$line" "wrong output" ;;
    fragment) "$lungo" -e "assert(loadfile('$f'))" || complain "$line" "does not compile" ;;
    *) complain "$line" "a block of Lua code begins with \`\`\`lua or \`\`\`lua fragment" ;;
  esac
done
[ "$(ls "$dir"/*.run | wc -l)" -ge 5 ] || { echo "found too few examples"; bad=1; }
exit $bad

#!/bin/bash
# The manual has a heading `### NAME` for everything that lungo adds to Lua, and none for what is not there.
set -u
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lua5.4 -e 'for name in pairs(_G) do print(name) end' >"$dir/stock"
"$lungo" tests/cli/names.lua "$dir/stock" | grep -v ' __' | sort >"$dir/real"
[ "$(wc -l <"$dir/real")" -ge 100 ] || { echo "found too few names"; exit 1; }
sed -n '/^## Goroutines/,/^## What differs/s/^### //p' docs/manual.md | sed 's/, /\n/g' | sort >"$dir/manual"
diff "$dir/real" "$dir/manual" || { echo "docs/manual.md lacks the names marked <, and has those marked > too much"; exit 1; }

# Each entry has a text and an example.
awk '
  function check() { if (name != "" && (!text || !example)) { print FILENAME ": " name " has no " (text ? "example" : "text"); bad = 1 } }
  /^## / { check(); name = "" }
  /^### / { check(); name = substr($0, 5); text = example = 0; next }
  /^```lua/ { example = 1 }
  !example && NF { text = 1 }
  END { check(); exit bad }' docs/manual.md

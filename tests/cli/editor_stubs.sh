#!/bin/bash
# The stubs for the Lua language server (docs/library) declare all that lungo adds to Lua, and nothing that is not there.
set -u
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lua5.4 -e 'for name in pairs(_G) do print(name) end' >"$dir/stock"
"$lungo" tests/cli/names.lua "$dir/stock" | grep -v ' __close' | sort >"$dir/real"
lua5.4 tests/cli/stub_names.lua docs/library/*.lua >"$dir/unsorted" || exit 1
sort "$dir/unsorted" >"$dir/stubs"
[ "$(wc -l <"$dir/real")" -ge 100 ] || { echo "found too few names"; exit 1; }
diff "$dir/real" "$dir/stubs" || { echo "docs/library lacks what is marked <, and has what is marked > too much"; exit 1; }

# The tables that functions return have the fields described.
check_fields() { # check_fields FUNCTION CLASS
  "$lungo" -e "for k in pairs(runtime.$1()) do print(k) end" | sort >"$dir/real"
  sed -n "/^---@class $2\$/,/^\$/s/^---@field \\([a-z]*\\) .*/\\1/p" docs/library/runtime.lua | sort >"$dir/stubs"
  diff "$dir/real" "$dir/stubs" || { echo "docs/library/runtime.lua: fields of $2"; exit 1; }
}
check_fields memstats runtime.memory
check_fields stats runtime.counters

#!/bin/bash
# Uses C modules and Lua packages of Debian, those that are installed, in lungo as in lua5.4 (same output wanted), and the
# modules from eight goroutines at once on two processors. Says which are absent. Status 1 if any fails.
# usage: scripts/module-check.sh [path/to/lungo [rounds [name ...]]]     (names: tests/packages/*.lua)
set -u
lungo=$(realpath "${1:-build/lungo}")
rounds=${2:-200}
shift $(($# < 2 ? $# : 2))
cd "$(dirname "$0")/.." || exit 1
dir=tests/packages
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Debian installs some pure Lua packages for older versions only.
export LUA_PATH="/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;/usr/share/lua/5.3/?.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua;;"
export LUNGOMAXPROCS=${LUNGOMAXPROCS:-2}
failed=0

versions() { # versions FILE: the Debian packages it names, with what is installed of them
  local p
  for p in $(sed -n '1s/^-- Debian: \([a-z0-9, -]*\)\..*/\1/p' "$1" | tr -d ','); do
    dpkg-query -W -f='${Package} ${Version}\n' "$p" 2>/dev/null || echo "$p -"
  done | paste -sd, | sed 's/,/, /g'
}
report() { # report RESULT NAME DETAILS
  printf '%-8s%-10s%s\n' "$1" "$2" "$3"
  [ "$1" = FAILED ] && failed=1
}
same_output() { # same_output NAME FILTER COMMAND...: the command with lua5.4 and with lungo
  local name=$1 filter=$2
  shift 2
  timeout 300 lua5.4 "$@" 2>&1 | sed -E "$filter" >"$tmp/want"
  timeout 300 "$lungo" "$@" 2>&1 | sed -E "$filter" >"$tmp/got"
  if diff "$tmp/want" "$tmp/got" >"$tmp/diff"; then
    report ok "$name" "same output as lua5.4"
  else
    report FAILED "$name" "output differs from lua5.4's"
    head -20 "$tmp/diff"
  fi
}

check() { # check FILE
  local name status
  name=$(basename "$1" .lua)
  timeout 60 lua5.4 $dir/driver.lua $dir "$name" >"$tmp/want" 2>&1
  status=$?
  [ $status -eq 3 ] && report absent "$name" "$(versions "$1")" && return
  timeout 600 "$lungo" $dir/driver.lua $dir "$name" "$rounds" >"$tmp/got" 2>"$tmp/err"
  if [ $? -ne $status ] || ! cmp -s "$tmp/want" "$tmp/got"; then
    report FAILED "$name" "$(versions "$1")"
    diff "$tmp/want" "$tmp/got" | head -20
    head -20 "$tmp/err"
  else
    report ok "$name" "$(versions "$1")"
  fi
}

if [ $# -gt 0 ]; then
  for n in "$@"; do check "$dir/$n.lua"; done
  exit $failed
fi
for f in "$dir"/*.lua; do
  case $f in */driver.lua | */busted_spec.lua) ;; *) check "$f" ;; esac
done
if command -v busted >/dev/null; then
  same_output busted 's/ : [0-9.]+ seconds//; s/0x[0-9a-f]+//' "$(command -v busted)" -o plainTerminal $dir/busted_spec.lua
else
  report absent busted ""
fi
if command -v luacheck >/dev/null; then
  same_output luacheck '' "$(command -v luacheck)" --no-color -q /usr/share/lua/5.4 /usr/share/lua/5.1/luacheck
else
  report absent luacheck ""
fi
exit $failed

#!/bin/bash
# Panics and dumps are complete though malloc refuses everything: its buffers, and the list of goroutines, need none.
# Protects: runtime/report.c (census_sort, text_keep).
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
nm "$lungo" | grep -qE '__(asan|tsan)_init' && exit 0 # they have a malloc of their own
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LUNGO_NOMALLOC=${lungo%/*}/modules/nomalloc.so
bad=0
report() { # report NAME SOURCE: status 2 and its stderr in err
  name=$1
  echo "$2" >"$tmp/t.lua"
  (cd "$tmp" && LD_PRELOAD=$LUNGO_NOMALLOC timeout 20 "$lungo" t.lua >out 2>err)
  local s=$?
  [ $s -eq 2 ] || { echo "$name: status $s"; head -5 "$tmp/err"; bad=1; }
}
has() { grep -Eq -- "$1" "$tmp/err" || { echo "$name: nothing matches $1 in:"; head -20 "$tmp/err"; bad=1; }; }
first='local refuse = assert(package.loadlib(os.getenv "LUNGO_NOMALLOC", "refuse"))'

report "deadlock" "$first"'
local c = chan()
for i = 1, 300 do go(function() c:recv() end) end
runtime.gosched()
refuse()
c:recv()'
has '^fatal error: all goroutines are asleep - deadlock!$'
[ "$(grep -c '^goroutine ' "$tmp/err")" -eq 301 ] || { echo "deadlock: goroutines are missing"; bad=1; }
grep '^goroutine ' "$tmp/err" | cut -d' ' -f2 | sort -nc || bad=1
has 't.lua:6: in main chunk'

report "panic after deferred calls" "$first"'
local function f() error("boom " .. string.rep("x", 1000)) end
defer print("deferred")
refuse()
f()'
has '^panic: t.lua:2: boom x{1000}$'
has 't.lua:2: in '
has 't.lua:5: in main chunk'
grep -q '^deferred' "$tmp/out" || { echo "$name: the deferred call did not run"; bad=1; }

report "panic with an object" "$first"'
refuse()
error(setmetatable({}, {__tostring = function() return "text" end}))'
has '^panic: text$'
exit $bad

#!/bin/bash
# --race: exit statuses, that races are found in every run, the examples, and that nothing is said where there is none.
# Protects: runtime/races.c, cli/main.c.
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
run() { # run NAME STATUS RACES ARGUMENT...
  local name=$1 status=$2 races=$3
  timeout 60 "$lungo" --race "${@:4}" >"$tmp/out" 2>"$tmp/err" </dev/null
  local s=$?
  [ $s -eq "$status" ] || { echo "FAIL $name: status $s, not $status"; head -5 "$tmp/err"; bad=1; }
  local n
  n=$(grep -c '^WARNING: DATA RACE$' "$tmp/err")
  [ "$n" -eq "$races" ] || { echo "FAIL $name: $n races, not $races"; cat "$tmp/err"; bad=1; }
}
silent() { [ -s "$tmp/err" ] && { echo "FAIL $1: stderr:"; cat "$tmp/err"; bad=1; }; }

race='local n, c = 0, chan(2) for i = 1, 2 do go(function() n = i c <- i end) end for _ = 1, 2 do c:recv() end '
run "end of the script" 66 1 -e "$race"
run "os.exit(0)" 66 1 -e "$race os.exit(0)"
run "os.exit(true, true)" 66 1 -e "$race os.exit(true, true)"
run "os.exit in a goroutine" 66 1 -e "$race go(function() os.exit(0) end) select {}"
run "os.exit(3)" 3 1 -e "$race os.exit(3)"
run "panic" 2 1 -e "$race error('x')"
run "deadlock" 2 1 -e "$race chan():recv()"
run "cannot be loaded" 1 0 -e "x ="
run "no race" 0 0 -e "print(1)"
silent "no race"
run "goexit in main" 66 1 -e "$race go(function() time.sleep(0.01) os.exit(0) end) runtime.goexit()"
timeout 60 "$lungo" -e "$race" 2>"$tmp/err" || { echo "FAIL without --race: status $?"; bad=1; }
silent "without --race"

for i in $(seq 25); do
  for p in 1 2; do
    timeout 60 "$lungo" --race --maxprocs $p examples/sync/data_race.lua >"$tmp/out" 2>"$tmp/err"
    [ $? -eq 66 ] && grep -q "^WARNING: DATA RACE$" "$tmp/err" || { echo "FAIL data_race not found ($i, $p)"; bad=1; }
    grep -qxE '1|2' "$tmp/out" || { echo "FAIL data_race: output $(cat "$tmp/out")"; bad=1; }
  done
done
for e in counter_mutex balance deposits once rwmutex cond; do
  for p in 1 2; do
    run "$e" 0 0 --maxprocs $p examples/sync/$e.lua
    silent "$e"
  done
done

# One report for a pair of lines, however often, and in one piece among others' output.
cat >"$tmp/many.lua" <<'LUA'
local n, m, wg = 0, 0, sync.waitgroup()
for _ = 1, 50 do
  wg:go(function() for _ = 1, 50 do n = n + 1 end end)
  wg:go(function() for _ = 1, 50 do m = m + 1 end end)
end
wg:wait()
LUA
run "many" 66 2 "$tmp/many.lua"
tail -1 "$tmp/err" | grep -qx "Found 2 data races" || { echo "FAIL many: last line"; bad=1; }
exit $bad

#!/bin/bash
# --leaks: the report at exit, its form, what counts, and that it changes nothing else. Protects: runtime/leaks.c.
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
bad=0
run() { # run NAME STATUS LEAKS SOURCE [OPTION...]: exit status and number of goroutines reported
  name=$1
  echo "$4" >t.lua
  timeout 60 "$lungo" --leaks "${@:5}" t.lua >out 2>err </dev/null
  local s=$?
  [ $s -eq "$2" ] || { echo "FAIL $name: status $s"; head -5 err; bad=1; }
  local n
  n=$(grep -c '^goroutine [0-9]* \[.*(leaked)' err)
  [ "$n" -eq "$3" ] || { echo "FAIL $name: $n leaked"; cat err; bad=1; }
}
line() { [ "$(sed -n "$1p" err)" = "$2" ] || { echo "FAIL $name: line $1 is '$(sed -n "$1p" err)', not '$2'"; bad=1; }; }
has() { grep -Eq -- "$1" err || { echo "FAIL $name: nothing matches $1 in:"; head -20 err; bad=1; }; }
silent() { [ -s err ] && { echo "FAIL $name: stderr:"; cat err; bad=1; }; }
out() { [ "$(cat out)" = "$1" ] || { echo "FAIL $name: output '$(cat out)'"; bad=1; }; }

# until all other goroutines wait
wait='repeat runtime.gosched() until select(2, runtime.stack(true):gsub("goroutine %d+ %[run", "")) == 1'

run "no goroutine" 0 0 'print("hello")'
silent
out hello
run "nothing leaks" 0 0 'local wg = sync.waitgroup() for i = 1, 10 do wg:go(function() end) end wg:wait()'
silent

run "one" 0 1 $'local c = chan()\ngo(function()\n  c:recv()\nend)\n'"$wait"
line 1 "WARNING: 1 goroutine leaked: nothing can wake it"
line 2 ""
line 3 "goroutine 2 [chan receive (leaked)]:"
has '^	t.lua:3: in function <t.lua:2>$'
has '^created by goroutine 1 at t.lua:2$'

run "several, by number" 0 3 $'for i = 1, 3 do go(function() local n; n <- i end) end\n'"$wait"' print("out")'
line 1 "WARNING: 3 goroutines leaked: nothing can wake them"
[ "$(grep -o '^goroutine [0-9]*' err | sort -s -k 2 -n)" = "$(grep -o '^goroutine [0-9]*' err)" ] || { echo "FAIL: order"; bad=1; }
has '^goroutine [0-9]+ \[chan send \(nil chan\) \(leaked\)\]:$'
out out

run "a global keeps" 0 0 'g = chan() go(function() g:recv() end) '"$wait"
run "a local of the script does not" 0 1 'local g = chan() go(function() g:recv() end) '"$wait"
run "one that sleeps keeps" 0 0 'local c = chan() go(function() c:recv() end) go(function() time.sleep(50) c:send(1) end) '"$wait"
run "os.exit in the script" 7 1 'local c = chan() go(function() c:recv() end) '"$wait"' os.exit(7)'
run "os.exit that closes" 3 1 'local c = chan() go(function() c:recv() end) '"$wait"' os.exit(3, true)'
run "os.exit in a goroutine" 4 1 'go(function() local c = chan() go(function() c:recv() end) '"$wait"' os.exit(4) end) time.sleep(50)'
run "os.exit in a goroutine, main sleeps and holds" 4 0 'local c = chan() go(function() c:recv() end) go(function() '"$wait"' os.exit(4) end) time.sleep(50) c:send(1)'
run "os.exit in a coroutine" 0 1 'local c = chan() go(function() c:recv() end) '"$wait"' coroutine.wrap(function() os.exit(true) end)() c:send(1)'
has 'WARNING: 1 goroutine leaked'
run "os.exit with a wrong argument" 2 0 'go(function() chan():recv() end) '"$wait"' os.exit("x")'
has 'bad argument #1 to .exit. \(number expected, got string\)'
run "an uncaught error has its own report" 2 0 'go(function() chan():recv() end) '"$wait"' error("boom")'
has '^panic: .*boom'
run "main ends while another goroutine occupies its thread" 0 1 'local c = chan()
go(function() c:recv() end)
go(function() os.execute("sleep 1") end)
'"$wait" --maxprocs 1
run "with -e and a script" 0 2 'go(function() chan():recv() end) '"$wait" -e 'go(function() chan():recv() end)'

# without the option nothing is reported
echo 'go(function() chan():recv() end) time.sleep(0.05)' >t.lua
timeout 20 "$lungo" t.lua 2>err
name=without
silent
exit $bad

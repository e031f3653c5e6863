#!/bin/bash
# --trace FILE: valid, complete and consistent (trace_check.lua) for what goroutines do, however the program ends.
# Protects: runtime/trace.c, cli/main.c.
lungo=$1
check=$PWD/tests/cli/trace_check.lua
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
bad=0
verify() { # verify NAME CONDITION: of the file t.json
  lua5.4 "$check" t.json "$2" 2>why || { echo "FAIL $1 (procs $LUNGOMAXPROCS): $(tail -1 why)"; bad=1; }
}
run() { # run NAME STATUS SOURCE CONDITION
  echo "$3" >t.lua
  rm -f t.json
  timeout 60 "$lungo" --trace t.json t.lua >out 2>err </dev/null
  local s=$?
  [ $s -eq "$2" ] || { echo "FAIL $1: status $s: $(head -3 err)"; bad=1; }
  verify "$1" "$4"
}
stopped() { # stopped NAME SIGNAL STATUS SOURCE CONDITION: the signal arrives when the script has printed its first line
  echo "$4" >t.lua
  : >out
  rm -f t.json
  timeout -k 1 60 "$lungo" --trace t.json t.lua >out 2>err </dev/null &
  local pid=$! s
  for _ in $(seq 600); do [ -s out ] && break; sleep 0.05; done
  kill "-$2" "$(pgrep -P $pid)"
  wait $pid 2>/dev/null
  s=$?
  [ $s -eq "$3" ] || { echo "FAIL $1: status $s: $(head -3 err)"; bad=1; }
  verify "$1" "$5"
}
flush='io.stdout:setvbuf "no" '

for procs in 1 2; do
  export LUNGOMAXPROCS=$procs
  # what is seen
  run "one goroutine" 0 'print(1)' 'count "go" == 1 and count "exit" == 0 and made "^goroutine 1 main$" == 1'
  run "channels" 0 $'local c, done = chan(), chan()\ngo(function()\n  for v in c do end\n  done:close()\nend)\nfor i = 1, 100 do c:send(i) end\nc:close()\ndone:recv()' \
    'count "go" == 2 and count "exit" <= 1 and at "chan receive" ~= "" and ("t.lua:3 t.lua:8"):find(at "chan receive", 1, true)
     and made "^goroutine 2 t.lua:2$" == 1 and creator(2) == "goroutine 1 at t.lua:2"'
  run "syntax form" 0 $'local c = chan()\ngo function() c <- 1 end()\ngo function() <-c end()\ntime.sleep(0.01)' 'count "go" == 3'
  run "each way to wait" 0 $'local m, rw, wg, s, c = sync.mutex(), sync.rwmutex(), sync.waitgroup(), sync.semaphore(1), chan()
m:lock() rw:lock() s:acquire()
go(function() m:lock() m:unlock() c:send(1) end)
go(function() rw:rlock() rw:runlock() rw:lock() rw:unlock() c:send(1) end)
go(function() s:acquire() s:release() c:send(1) end)
wg:add(1)
go(function() wg:wait() c:send(1) end)
go(function() select {{recv = chan()}, {send = c, value = 1}} end)
go(function() time.sleep(0.001) c:send(1) end)
local function waiting() local _, n = runtime.stack(true):gsub("%[sync", "") return n end
repeat runtime.gosched() until waiting() == 4
m:unlock() rw:unlock() s:release() wg:done()
for i = 1, 6 do c:recv() end' \
    'count "sync.Mutex.Lock" == 1 and count "sync.RWMutex.RLock" == 1 and count "sync.Semaphore" == 1 and
     count "sync.WaitGroup.Wait" == 1 and count "sleep" == 1 and count "go" == 7'
  run "wait groups" 0 'local wg = sync.waitgroup() for i = 1, 50 do wg:go(function() runtime.gosched() end) end wg:wait()' \
    'count "go" == 51 and count "exit" == 50'
  run "nested" 0 'local c = chan() go(function() for i = 1, 20 do c:send(i) end end)
table.sort({3, 2, 1, 5, 4}, function(a, b) c:recv() time.sleep(0.0005) return a < b end)' 'count "chan receive" + count "chan send" > 0 and count "sleep" > 0'
  run "collections" 0 'go(function() end) for i = 1, 5 do collectgarbage() end' 'marks "collection" >= 5 and marks "mark" >= 5 and marks "stop the world" >= 5'
  run "preemption" 0 'local stop = atomic.bool(false) for i = 1, 4 do go(function() while not stop:load() do end end) end time.sleep(0.05) stop:store(true)' \
    'marks "preempt" > 0'
  run "the number of processors changes" 0 'local c, done = chan(), atomic.bool(false)
for i = 1, 4 do go(function() while not done:load() do c:trysend(1) c:tryrecv() end end) end
for i = 1, 40 do runtime.gomaxprocs(i % 3 + 1) runtime.gosched() time.sleep(0.0002) end done:store(true)' 'count "go" == 5'
  run "many events" 0 'local a, b = chan(), chan() go(function() for v in a do b:send(v) end end)
for i = 1, 8000 do a:send(i) b:recv() end' 'count "running" > 8000'
  run "timers" 0 'local t = time.ticker(0.001) for i = 1, 3 do t.c:recv() end time.afterfunc(0, function() t:stop() end)' 'marks "timer" >= 3 or procs > 0'
  run "names that JSON must quote" 0 'local f = load("go(function() end)", "=a\"\\</script>\1\xff\xc3\xa9") f() runtime.gosched()' \
    'made [[a"\</script>]] == 1 and made "?é:1$" == 1'

  # how it ends
  run "panic" 2 'go(function() error "x" end) chan():recv()' 'count "go" == 2'
  run "panic in main" 2 'error "x"' 'count "go" == 1'
  run "deadlock" 2 'go(function() chan():recv() end) sync.mutex():lock() chan():send(1)' 'ended(2) == "chan receive" and ended(1) == "chan send"'
  run "os.exit" 3 'go(function() while true do end end) os.exit(3)' 'count "go" == 2'
  run "os.exit closing" 3 'go(function() while true do end end) os.exit(3, true)' 'count "go" == 2'
  run "os.exit elsewhere" 4 'go(function() os.exit(4) end) while true do end' 'count "go" == 2'
  run "goexit" 2 'go(function() time.sleep(0.001) end) runtime.goexit()' 'count "go" == 2 and count "sleep" == 1'
  run "does not load" 1 'x = = 1' 'count "go" == 1'
  run "others still run" 0 'for i = 1, 3 do go(function() while true do end end) end runtime.gosched()' 'count "go" == 4'
  stopped "SIGTERM" TERM 143 "$flush"' go(function() time.sleep(100) end) print(1) while true do end' 'ended(1) == "running" or ended(1) == "runnable"'
  stopped "SIGTERM, all wait" TERM 143 "$flush"' print(1) time.sleep(100)' 'ended(1) == "sleep"'
  stopped "SIGHUP" HUP 129 "$flush"' go(function() os.execute "exit 0" end) print(1) time.after(100):recv()' 'ended(1) == "chan receive"'
  stopped "SIGQUIT" QUIT 2 "$flush"' go(function() while true do end end) print(1) chan():recv()' 'ended(1) == "chan receive"'
  stopped "Ctrl-C" INT 2 "$flush"' print(1) time.sleep(100)' 'count "go" == 1'
done

# the page
echo 'print(1)' >t.lua
"$lungo" --trace t.html t.lua >/dev/null && lua5.4 "$check" t.html 'count "go" == 1' || { echo "FAIL: t.html"; bad=1; }

# what cannot be written
refused() { # refused STDERR OPTION...
  local want=$1
  shift
  "$lungo" "$@" >out 2>err </dev/null
  local s=$?
  [ $s -eq 1 ] && grep -Eq -- "$want" err && [ ! -s out ] || { echo "FAIL: $*: status $s, $(cat out err)"; bad=1; }
}
refused "^$lungo: cannot write none/t.json: No such file or directory$" --trace none/t.json t.lua
refused "^$lungo: cannot write \.: Is a directory$" --trace . t.lua
refused "'--trace' needs a file" --trace
refused "'--trace' needs a file" --trace -e 'print(1)'
refused "'--trace' needs a file" --trace '-' t.lua
if [ -w /dev/full ]; then
  "$lungo" --trace /dev/full t.lua >out 2>err
  grep -q "cannot write /dev/full: No space left on device" err && [ "$(cat out)" = 1 ] || { echo "FAIL: /dev/full: $(cat out err)"; bad=1; }
fi
exit $bad

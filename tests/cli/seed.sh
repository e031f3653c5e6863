#!/bin/bash
# --seed N: one seed, one course of the program: the same output each time, however busy the machine is; other seeds,
# other courses. SEED_RUNS (15) says how often. Protects: runtime/lockstep.c, runtime/park.c (preempt, sleep), sysmon.c.
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
bad=0
cat >wait.lua <<'LUA'
local out = {}
local function w(s) out[#out + 1] = s end
local a, b, c = chan(), chan(2), chan(1)
local wg, mu, rw, sem = sync.waitgroup(), sync.mutex(), sync.rwmutex(), sync.semaphore(2)
for i = 1, 5 do
  wg:go(function()
    for k = 1, 8 do
      local which, v = select { {send = a, value = i * 100 + k}, {send = b, value = i * 100 + k}, {recv = c} }
      w(i .. ":" .. which)
      if k % 3 == 0 then runtime.gosched() end
      mu:lock() w("m" .. i) mu:unlock()
      sem:acquire() w("s" .. i) runtime.gosched() sem:release()
    end
  end)
end
for i = 1, 3 do
  wg:go(function()
    for k = 1, 8 do
      local which, v = select { {recv = a}, {recv = b}, {send = c, value = i} }
      w(i .. "r" .. which .. "=" .. tostring(v))
    end
  end)
end
go(function() while true do select { {recv = a}, {recv = b}, {recv = c}, } w "x" end end)
for i = 1, 6 do wg:go(function() time.sleep(0.002) w("t" .. i) end) end
local at = {}
for i = 1, 4 do at[i] = time.after(0.003) end
for i = 1, 4 do local k = select { {recv = at[1]}, {recv = at[2]}, {recv = at[3]}, {recv = at[4]} } at[k] = nil w("a" .. k) end
go(function() while true do select {{send = c, value = 0}} end end)
wg:wait()
print(table.concat(out, " "))
LUA
cat >compute.lua <<'LUA'
local log, wg = {}, sync.waitgroup()
local function w(s) log[#log + 1] = s end
local n = 0
for i = 1, 4 do wg:go(function() for k = 1, 30000 do n = n + 1 if k % 3000 == 0 then w(i .. "." .. k .. "." .. n) end end end) end
for i = 1, 3 do wg:go(function() time.sleep(0.001 * i) w("t" .. i) local t = {} for k = 1, 20000 do t[k] = {k} end w("T" .. i) end) end
wg:go(function() table.sort({3, 1, 2, 5, 4}, function(a, b) time.sleep(0.0005) w("s") return a < b end) end)
wg:go(function() local stop = false go(function() time.sleep(0.004) stop = true end) local k = 0 while not stop do k = k + 1 runtime.gosched() end w("k" .. k) end)
wg:go(function() local tick = time.ticker(0.001) for i = 1, 5 do tick.c:recv() w("tick") end tick:stop() end)
local ctx, cancel = context.withtimeout(context.background(), 0.003)
wg:go(function() ctx:done():recv() w("ctx " .. ctx:err()) end)
for i = 1, 3 do wg:go(function() for k = 1, 5 do print("line", i, k) os.execute("true") w("p" .. i) end end) end
setmetatable({}, {__gc = function() w("gc") end})
for i = 1, 3 do local m = {} for k = 1, 9 do m["key" .. k] = k end for k in pairs(m) do w(k) end end
wg:wait()
collectgarbage()
print(table.concat(log, " "), runtime.stats().preemptions)
LUA
# nothing but computing: what differs is where slices end
cat >slices.lua <<'LUA'
local wg, log = sync.waitgroup(), {}
for i = 1, 4 do
  wg:go(function()
    for k = 1, 50000 do
      if k % 5000 == 0 then log[#log + 1] = i end
    end
  end)
end
wg:wait()
print(table.concat(log))
LUA
# a mutex held for longer than a starving waiter is patient, and timers that are due at the same time
cat >fair.lua <<'LUA'
local mu, wg, log = sync.mutex(), sync.waitgroup(), {}
for i = 1, 4 do
  wg:go(function()
    for k = 1, 6 do
      mu:lock()
      if k % 2 == 0 then time.sleep(0.002) end
      for j = 1, 20000 do end
      log[#log + 1] = i
      mu:unlock()
    end
  end)
  time.afterfunc(0.004, function() log[#log + 1] = "t" .. i end)
end
wg:wait()
print(table.concat(log, " "))
LUA
# a chain of goroutines, each started by the one before, shares a slice with its like
cat >chain.lua <<'LUA'
local turns, links, log = 0, 0, {}
local function link()
  links = links + 1
  if turns == 3 or links == 300000 then return end
  go(link)
  for i = 1, 20 do end
end
go(link)
while turns < 3 and links < 300000 do
  runtime.gosched()
  turns = turns + 1
  log[turns] = links
end
print(table.concat(log, " "))
LUA
for f in wait compute slices fair chain; do
  for seed in 1 2; do
    for _ in $(seq "${SEED_RUNS:-15}"); do
      timeout 60 "$lungo" --seed $seed $f.lua 2>&1 </dev/null | cksum
    done | sort | uniq -c >got
    [ "$(wc -l <got)" -eq 1 ] || { echo "FAIL: $f.lua, seed $seed:"; cat got; bad=1; }
  done
  [ $f = fair ] && continue # its waiters are served first come, first served
  n=$(for seed in 0 1 2 3 4 5 6 7 8 9; do "$lungo" --seed $seed $f.lua | cksum; done | sort -u | wc -l)
  [ "$n" -ge 8 ] || { echo "FAIL: $f.lua: ten seeds, $n courses"; bad=1; }
done

check() { # check NAME WANT COMMAND...
  local name=$1 want=$2 got
  shift 2
  got=$(timeout 60 "$@" 2>&1 </dev/null)
  [ "$got" = "$want" ] || { echo "FAIL $name: $got"; bad=1; }
}
check "the order of pairs" 1 bash -c "for i in 1 2 3 4 5 6; do $lungo --seed 5 -e 'local t = {} for i = 1, 9 do t[\"k\" .. i] = i end for k in pairs(t) do io.write(k) end print()'; done | sort -u | wc -l"
check "who waits for a timer by giving way" true "$lungo" --seed 1 -e 'local s go(function() time.sleep(0.02) s = true end) while not s do runtime.gosched() end print(s)'
check "who waits for a timer by computing" true "$lungo" --seed 1 -e 'local s go(function() time.sleep(0.02) s = true end) while not s do end print(s)'
check "sleeping takes its time" true "$lungo" --seed 1 -e 'local t = time.monotonic() time.sleep(0.05) print(time.monotonic() - t >= 0.05)'
check "below C too" true "$lungo" --seed 1 -e 'local t = time.monotonic() table.sort({2, 1}, function(a, b) time.sleep(0.05) return a < b end) print(time.monotonic() - t >= 0.05)'
check "more processors" ok "$lungo" --seed 1 -e 'local t = time.after(0.02) time.sleep(0.01) runtime.gomaxprocs(2) t:recv() time.sleep(0.01) print "ok"'
check "more processors from the start" ok "$lungo" --seed 1 --maxprocs 2 -e 'for i = 1, 4 do go(function() while true do end end) end time.sleep(0.02) print "ok"'
check "who stays in the system does not stop the others" $'b\na' "$lungo" --seed 1 -e 'local c = chan() go(function() os.execute "sleep 3" print "a" c:send(1) end) runtime.gosched() print "b" c:recv()'
exit $bad

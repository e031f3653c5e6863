#!/bin/bash
# Running out of memory is an ordinary error: caught and the data dropped, the program goes on; uncaught, it is reported
# as what it is. Garbage is never the reason for it. Memory is limited by LUNGODEBUG=heaplimit (megabytes of the heap)
# and, where no sanitizer reserves address space, by ulimit too, which refuses everybody: malloc, thread stacks, buffers.
# Protects: vm/heap.c (reserve), vm/gc.c (gc_rescue), vm/table.c, vm/call.c, runtime/report.c, LUNGODEBUG=heaplimit.
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

cat >"$tmp/caught.lua" <<'LUA'
local function fill(keep) for i = 1, 1e9 do keep[i] = function() return i end end end
for round = 1, 3 do
  local ok, e = pcall(fill, {})
  assert(not ok and e == "not enough memory", e)
  local t = {} for i = 1, 20000 do t[i] = {i} end assert(#t == 20000)
end
local co = coroutine.create(fill)
local ok, e = coroutine.resume(co, {})
assert(not ok and e == "not enough memory", e)
co = nil
-- each kind of object, alone
local kinds = {
  function(t, i) t[i] = {} end, function(t, i) t[i] = ("x"):rep(100) .. i end, function(t, i) t[i] = ("x"):rep(60000) .. i end,
  function(t, i) t[-i] = true end, function(t, i) t["k" .. i] = i end, function(t, i) t[i] = coroutine.create(fill) end,
  function(t, i) t[i] = chan(10) end, function(t, i) t[i] = assert(load("return " .. i)) end, function(t, i) t[i + 0.5] = 1 << 60 end,
  function(t, i) t[1] = (t[1] or "x") .. t[1] end, function(t, i) t[i] = setmetatable({}, {__gc = function() end}) end,
}
for k, f in ipairs(kinds) do
  local ok, e = pcall(function() local t = {"x"} for i = 1, 1e9 do f(t, i) end end)
  assert(not ok and e:find("not enough memory", 1, true), k .. tostring(e))
end
assert(select(2, xpcall(fill, function(m) return m .. "!" end, {})) == "not enough memory") -- no handler, as in Lua
print "caught"
LUA
cat >"$tmp/garbage.lua" <<'LUA'
collectgarbage("stop") -- an emergency does not care
for i = 1, 30 do local s = ("x"):rep(1000000 + i) local t = table.concat {s, "y"} end
for i = 1, 30 do local s = ("x"):rep(1000000 + i) s = s .. "y" end
for i = 1, 8 do local t = {} for j = 1, 200000 do t[j] = j end end
for i = 1, 5 do local t = {} for j = 1, 60000 do t["k" .. j] = j end end
local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end
for i = 1, 10 do local c = coroutine.wrap(function() deep(20000) coroutine.yield() end) c() end
for i = 1, 200000 do local f = function() return i end end
local t = setmetatable({}, {__mode = "k"}) for i = 1, 200000 do t[{}] = {i} end
local m = sync.map() for i = 1, 200000 do m:store(i % 1000, {i}) end
local n = 0
for i = 1, 200000 do local ud = setmetatable({}, {__gc = function() n = n + 1 end}) end
collectgarbage() assert(n > 1000)
for i = 1, 10 do assert(#table.pack(table.unpack(table.move({}, 1, 1, 1), 1, 50000)) == 0) end
print "garbage"
LUA
# What dies in a weak table needs no room when the table grows, whatever else fills the heap (here at last half of it).
cat >"$tmp/weak.lua" <<'LUA'
collectgarbage("stop")
local keep = {}
for step = 1, 50 do
  keep[step] = ("x"):rep(100000 + step)
  local t = setmetatable({}, {__mode = "k"})
  for i = 1, 60000 do t[{}] = true end
end
print "weak"
LUA
cat >"$tmp/parallel.lua" <<'LUA'
-- What one drops the others may fill at once with what they keep. So outside of pcall nothing here needs memory: the
-- functions are there, and each goroutine has its call frames, before the first begins to fill.
local wg, ready, caught = sync.waitgroup(), sync.waitgroup(), atomic.int(0)
local function fill(g, last)
  local t = {}
  for i = 1, last do
    t[i] = {i, g}
    if i % 1000 == 0 then runtime.gosched() end
  end
end
ready:add(4)
for g = 1, 4 do
  wg:go(function()
    assert(pcall(fill, g, 1000))
    ready:done()
    ready:wait()
    for round = 1, 3 do
      local ok, e = pcall(fill, g, 1e9)
      assert(not ok and e == "not enough memory", e)
      caught:add(1)
    end
  end)
end
wg:wait()
assert(caught:load() == 12)
print "parallel"
LUA
# At most six strings live at a time, and nine fit: whoever collects must get the string, though the others ask meanwhile.
cat >"$tmp/competing.lua" <<'LUA'
collectgarbage("stop")
local wg = sync.waitgroup()
for g = 1, 3 do
  wg:go(function() for i = 1, 30 do local s = ("x"):rep(1000000 + i) end end)
end
wg:wait()
print "competing"
LUA
cat >"$tmp/goroutines.lua" <<'LUA'
local ch = chan()
while true do go(function() ch:recv() end) end
LUA
cat >"$tmp/uncaught.lua" <<'LUA'
local t = {}
defer(function() t[1] = 1 end)
while true do t[#t + 1] = {} end
LUA
cat >"$tmp/inside.lua" <<'LUA'
keep = {}
go(function() while true do keep[#keep + 1] = {} end end)
<-chan()
LUA
cat >"$tmp/object.lua" <<'LUA'
keep = {}
local e = setmetatable({}, {__tostring = function() while true do keep[#keep + 1] = {} end end})
pcall(function() while true do keep[#keep + 1] = #keep .. "" end end)
error(e)
LUA
cat >"$tmp/deadlock.lua" <<'LUA'
keep = {}
local ch = chan()
for i = 1, 50 do go(function() ch:recv() end) end
local function strings() while true do keep[#keep + 1] = #keep .. "" end end
for i = 1, 60 do runtime.gosched() end -- they have what they need
pcall(strings)
ch:recv()
LUA

complain() { echo "$1"; head -5 "$tmp/out" "$tmp/err"; bad=1; }
check() { # check NAME STATUS WORD: the exit status, and what stdout or stderr must contain
  "${limit[@]}" "$lungo" "$tmp/$1.lua" >"$tmp/out" 2>"$tmp/err"
  local status=$?
  [ $status -eq "$2" ] || complain "$1 (${limit[*]}): status $status"
  cat "$tmp/out" "$tmp/err" | grep -q -- "$3" || complain "$1 (${limit[*]}): no '$3'"
}
limit=(env LUNGODEBUG=heaplimit=12)
for procs in 1 4; do
  export LUNGOMAXPROCS=$procs
  check caught 0 '^caught'
  check garbage 0 '^garbage'
  check weak 0 '^weak'
  check parallel 0 '^parallel'
  check competing 0 '^competing'
  check goroutines 2 '^panic: not enough memory'
  # memory may run out in goroutine 1, or in a new one that has no frame yet
  grep -Eq 'goroutines.lua:2: in |created by goroutine 1 at .*goroutines.lua:2' "$tmp/err" || complain "goroutines: no place"
  check uncaught 2 '^panic: not enough memory'
  check inside 2 '^panic: not enough memory'
  check object 2 '^panic: '
  check deadlock 2 '^fatal error: all goroutines are asleep - deadlock!'
  grep -q 'deadlock.lua:7: in main chunk' "$tmp/err" || complain "deadlock: main is missing"
done
if ! nm "$lungo" | grep -qE '__(asan|tsan)_init'; then
  limit=(bash -c "ulimit -v $((30400 + $(stat -c %s "$lungo") / 1024)); exec \"\$@\"" -) # 35 MB for a program of 4.6
  check caught 0 '^caught'
  check garbage 0 '^garbage'
  check goroutines 2 '^panic: not enough memory'
  check object 2 '^panic: '
fi
exit $bad

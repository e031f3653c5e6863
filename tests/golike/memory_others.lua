-- The memory model's other sentences: `go`, sync.map, sync.pool, cancelling a context, timers, finalizers, coroutines that
-- change hands. What was written before the edge is found after it, each of thousands of times.
-- Protects: runtime/sched.c (g_go), stdlib/syncdata.c, runtime/context.c, runtime/timer.c, runtime/final.c.
local N = ROUNDS or os.getenv "LUNGODEBUG" and 60 or 1200 -- ROUNDS: race/silent_memory.lua
local function state()
  local v, s = 0, {n = 0}
  local function write(i) v = i s.n = i s[i % 8 + 1] = {i} s["k" .. i] = i s["k" .. i - 3] = nil end
  local function good(i) return v == i and s.n == i and s[i % 8 + 1][1] == i and s["k" .. i] == i and s["k" .. i - 3] == nil end
  return write, good
end
local function await(counter, i) -- with a pause if it takes long: there may be more processors than CPUs
  local spins = 0
  while counter:load() < i do
    spins = spins + 1
    if spins > 1000 then time.sleep(1e-5) elseif spins > 50 then runtime.gosched() end
  end
end
-- In round i one goroutine writes and calls give(i), the other calls take(i) and looks.
local function edge(name, give, take)
  local write, good = state()
  local looked, wg = atomic.int(), sync.waitgroup()
  wg:go(function() for i = 1, N do write(i) give(i) await(looked, i) end end)
  wg:go(function() for i = 1, N do take(i) assert(good(i), name) looked:store(i) end end)
  wg:wait()
end
local bg = context.background()
-- `go` happens before the goroutine starts, in all its forms, whoever runs it.
local groups, first = sync.waitgroup(), sync.errgroup()
local starts = {
  function(f, i) go(f, i) end,
  function(f, i) go f(i) end,
  function(f, i) go function() f(i) end() end,
  function(f, i) groups:go(f, i) end,
  function(f, i) first:go(f, i) end,
  function(f, i) time.afterfunc(0, function() f(i) end) end,
}
for k, start in ipairs(starts) do
  local write, good = state()
  local looked = atomic.int()
  local function look(i) assert(good(i), "go, form " .. k) looked:store(i) end
  for i = 1, N do
    write(i)
    start(look, i)
    await(looked, i)
  end
end
-- A write to a sync.map happens before whatever sees it; a put before the get that takes it out.
local m = sync.map()
edge("store and load", function(i) m:store("k", i) end, function(i) repeat until m:load("k") == i or runtime.gosched() end)
edge("swap and load", function(i) m:swap("k", i) end, function(i) while m:load("k") ~= i do runtime.gosched() end end)
edge("loadorstore", function(i) m:loadorstore(i, i) end, function(i)
  while not m:load(i) do runtime.gosched() end
  m:delete(i)
end)
edge("store and loadanddelete", function(i) m:store(i, i) end, function(i) while not m:loadanddelete(i) do runtime.gosched() end end)
m:store("k", 0)
edge("compareandswap", function(i) assert(m:compareandswap("k", i - 1, i)) end, function(i)
  while not m:compareandswap("k", i, i) do runtime.gosched() end
end)
edge("store and range", function(i) m:store("k", i) end, function(i)
  local seen
  repeat
    m:range(function(_, v) seen = v end)
    if seen ~= i then runtime.gosched() end
  until seen == i
end)
for i = 1, N do m:store(-i, i) end
edge("delete and load", function(i) m:delete(-i) end, function(i) while m:load(-i) do runtime.gosched() end end)
local p = sync.pool()
collectgarbage "stop" -- it would take what lies in the pool for long
edge("put and get", function(i) p:put({i}) end, function(i)
  local v
  repeat v = p:get() if not v then runtime.gosched() end until v
  assert(v[1] == i)
end)
collectgarbage "restart"
-- What came before cancel is seen by those who learn of it, by each way, at the context and below it.
local trees = {}
for i = 1, N do
  local ctx, cancel = context.withcancelcause(bg)
  trees[i] = {cancel = cancel, ctx = i % 2 == 0 and ctx or context.withcancel(context.withvalue(ctx, "k", i))}
end
local learn = {
  function(c) <-c:done() end,
  function(c) select case <-c:done() then case <-chan() then end end,
  function(c) while not c:err() do runtime.gosched() end end,
  function(c) while not c:cause() do runtime.gosched() end end,
  function(c) assert(not sync.semaphore(0):acquire(1, c)) end,
}
edge("cancel", function(i) trees[i].cancel(i) end, function(i) local c = trees[i].ctx learn[i % #learn + 1](c) assert(c:cause() == i) end)
-- Starting or resetting a timer happens before its function, and before the receipt of its value.
local t = time.timer(3600)
edge("timer:reset", function() t:reset(0) end, function() assert(t.c:recv()) end)
local fired = chan(1)
local f = time.afterfunc(3600, function() fired:send(true) end)
edge("afterfunc, reset", function() f:reset(0) end, function() fired:recv() end)
-- A coroutine brings along what was done in it and by who resumed it.
local hand = chan(1)
do
  local write, good = state()
  local co = coroutine.wrap(function() for i = 1, N do write(i) coroutine.yield(i) end end)
  local wg = sync.waitgroup()
  hand <- 0
  for _ = 1, 2 do
    wg:go(function()
      for n in hand do
        assert(n == 0 or good(n), "coroutine")
        if n == N then return hand:close() end
        hand <- co()
      end
    end)
  end
  wg:wait()
end
-- What was done to an object before it became garbage, and before setmetatable, is seen by its finalizer.
do
  local write, good = state()
  local ran, left = atomic.int(), 0
  local mt = {__gc = function(o) assert(o.n == o.want and good(1), "finalizer") ran:add(1) end}
  write(1)
  local wg = sync.waitgroup()
  for g = 1, 2 do
    wg:go(function()
      for i = 1, N // 10 do
        local o = setmetatable({want = i}, mt)
        o.n = i
      end
    end)
  end
  wg:wait()
  collectgarbage()
  await(ran, N // 10 * 2)
end
print "ok" -- expect: ok

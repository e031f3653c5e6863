-- Every kind of wait: reported when nothing that can run reaches what would wake it, and not while a global does.
-- Protects: runtime/leaks.c, waitq_trace of every object that goroutines wait for.
local function settle() -- until all others wait
  repeat
    runtime.gosched()
    local dump = runtime.stack(true)
    local _, busy = dump:gsub("goroutine %d+ %[run", "")
  until busy == 1
end

local function blocked_once(call)
  local c = chan()
  local function f() c:recv() end
  go(function() call(f) end)
  settle()
  go(function() call(f) end)
  return c
end

-- State, number of goroutines, and a function that starts them and returns what can wake them. One is in the state.
local kinds = {
  {"chan receive", 1, function() local c = chan() go(function() c:recv() end) return c end},
  {"chan receive", 1, function() local c = chan() go(function() local v = <-c end) return c end},
  {"chan receive", 1, function() local c = chan(3) go(function() for v in c do end end) return c end},
  {"chan receive", 1, function() local c = chan() local r = c:receiver() go(function() r:recv() end) return c:sender() end},
  {"chan send", 1, function() local c = chan() go(function() c:send(1) end) return c end},
  {"chan send", 1, function() local c = chan(1) c:send(0) go(function() c <- 1 end) return c end},
  {"select", 1, function()
    local a, b = chan(), chan()
    go(function() select case <-a then case b <- 1 then end end)
    return b
  end},
  {"select", 1, function()
    local a, b = chan(), chan()
    go(function() select{{recv = a}, {send = b, value = 1}} end)
    return a
  end},
  {"sync.Mutex.Lock", 1, function()
    local m = sync.mutex()
    m:lock()
    go(function() m:lock() end)
    return m
  end},
  {"sync.RWMutex.Lock", 1, function()
    local m = sync.rwmutex()
    m:rlock()
    go(function() m:lock() end)
    return m
  end},
  {"sync.RWMutex.RLock", 1, function()
    local m = sync.rwmutex()
    m:lock()
    go(function() m:rlock() end)
    return m
  end},
  {"sync.WaitGroup.Wait", 1, function()
    local w = sync.waitgroup()
    w:add(1)
    go(function() w:wait() end)
    return w
  end},
  {"sync.Cond.Wait", 1, function()
    local m = sync.mutex()
    local c = sync.cond(m)
    go(function() m:lock() c:wait() end)
    return c
  end},
  {"sync.Once", 2, function()
    local once = sync.once()
    return blocked_once(function(f) once(f) end)
  end},
  {"sync.Once", 2, function()
    local f
    local once = sync.oncevalue(function() f() end)
    return blocked_once(function(g) f = f or g once() end)
  end},
  {"sync.Once", 2, function()
    local sf = sync.singleflight()
    return blocked_once(function(f) sf:run("k", f) end)
  end},
  {"sync.Semaphore", 1, function()
    local s = sync.semaphore(2)
    s:acquire(1)
    go(function() s:acquire(2) end)
    return s
  end},
  {"chan receive", 1, function() -- in a coroutine, below pcall
    local c = chan()
    go(function() coroutine.wrap(function() pcall(c.recv, c) end)() end)
    return c
  end},
  {"chan receive", 1, function() -- below a C function that called back: its thread waits
    local c = chan()
    go(function() table.sort({3, 2, 1}, function(a, b) c:recv() return a < b end) end)
    return c
  end},
  {"chan receive", 1, function() -- in a metamethod
    local c = chan()
    local t = setmetatable({}, {__index = function() return <-c end})
    go(function() return t.x end)
    return c
  end},
}
if waits ~= nil then error("global waits") end
waits = {} -- what keeps goroutines from leaking

local function check(what, state, n, before)
  settle()
  local fresh, last = 0, nil -- `last`: one that is in the state, if there is any
  for _, l in ipairs(runtime.leaks()) do
    if not before[l.id] then
      fresh = fresh + 1
      if not last or l.state == state then last = l end
    end
    before[l.id] = true
  end
  if fresh ~= n then print(what, state, "leaks", fresh, "expected", n, runtime.stack(true)) end
  if n > 0 and last and last.state ~= state then print(what, "state", last.state, "expected", state) end
  return last
end

local reported = {}
for i, k in ipairs(kinds) do
  local state, n, start = k[1], k[2], k[3]
  local function run(keep) waits[1] = keep and start() or (start() and nil) end
  run(true)
  check("kept " .. i, state, 0, reported)
  waits[1] = nil
  check("dropped " .. i, state, n, reported)
  run(false)
  check("unkept " .. i, state, n, reported)
end

-- Those that nothing at all can wake.
local function forever(state, f)
  go(f)
  local l = check(state, state, 1, reported)
  assert(l.traceback:find("leaks_kinds.lua:%d+: in "), l.traceback)
  assert(l.creator == 1 and l.created:find("leaks_kinds.lua:%d+$"), l.created)
  assert(math.type(l.id) == "integer" and l.waited >= 0 and l.waited < 60)
end
local none
forever("chan receive (nil chan)", function() local v = <-none return v end)
forever("chan send (nil chan)", function() none <- 1 end)
forever("select (no cases)", function() select end end)
forever("select", function() select case <-none then end end)
local again = runtime.leaks()
local count = 0
for _ in pairs(reported) do count = count + 1 end
print(#again == count, runtime.numgoroutine() == count + 1)   -- expect: true	true
for i = 2, #again do assert(again[i - 1].id < again[i].id) end

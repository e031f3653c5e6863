-- What keeps a goroutine from being reported, and what does not; and leaked goroutines are as alive as ever.
-- Protects: runtime/leaks.c (roots), gc.c (leak_phase).
local function settle()
  repeat
    runtime.gosched()
    local dump = runtime.stack(true)
    local _, busy = dump:gsub("goroutine %d+ %[run", "")
  until busy == 1
end
local function leaks()
  settle()
  local ids = {}
  for _, l in ipairs(runtime.leaks()) do ids[#ids + 1] = l.id end
  return ids
end

stop = chan()   -- closed at the end of each case; those that wait for it are live
kept = nil      -- a global for each case to keep things in
local weak = setmetatable({}, {__mode = "v"})
local ephemeron = setmetatable({}, {__mode = "k"})

-- name, goroutines expected to leak, function
local cases = {
  {"a global", 0, function() kept = chan() go(function() kept:recv() end) end},
  {"a table in a table of a global", 0, function()
    kept = {{chan()}}
    local c = kept[1][1]
    go(function() c:recv() end)
  end},
  {"key of a global table", 0, function()
    local c = chan()
    kept = {[c] = true}
    go(function() c:recv() end)
  end},
  {"metatable", 0, function()
    local c = chan()
    kept = setmetatable({}, {chan = c})
    go(function() c:recv() end)
  end},
  {"upvalue of a global function", 0, function()
    local c = chan()
    function kept() c:send(1) end
    go(function() c:recv() end)
  end},
  {"a loaded module", 0, function()
    local c = chan()
    package.loaded["leaks.test"] = {c = c}
    go(function() c:recv() end)
  end},
  {"the registry", 0, function()
    local c = chan()
    debug.getregistry()["leaks.test"] = c
    go(function() c:recv() end)
  end},
  {"a local of a goroutine that can be woken", 0, function()
    local c = chan()
    go(function() c:recv() end)
    go(function() stop:recv() c:send(1) end)
  end},
  {"an upvalue of one that sleeps", 0, function()
    local c = chan()
    go(function() c:recv() end)
    go(function() time.sleep(30) c:send(1) end)
  end},
  {"arguments of one that has not run yet, and its table", 0, function()
    local c = chan()
    go(function() c:recv() end)
    settle()
    go(function(t) t[1]:send(1) end, {c})
  end},
  {"a deferred call of one that can be woken", 0, function()
    local c = chan()
    go(function() c:recv() end)
    go(function(ch)
      defer ch:close()
      ch = nil
      stop:recv()
    end, c)
  end},
  {"a to-be-closed variable", 0, function()
    local c = chan()
    go(function() c:recv() end)
    go(function()
      local lock <close> = setmetatable({}, {__close = function() c:send(1) end})
      stop:recv()
    end)
  end},
  {"a suspended coroutine of one that can be woken", 0, function()
    local c = chan()
    go(function() c:recv() end)
    local co = coroutine.wrap(function() coroutine.yield() c:send(1) end)
    co()
    go(function() stop:recv() co() end)
  end},
  {"a chain that begins at a global", 0, function()
    local c = stop
    for i = 1, 20 do
      local from, to = c, chan()
      go(function() from:recv() to:close() end)
      c = to
    end
  end},
  {"a chain that begins nowhere", 20, function()
    local c = chan()
    for i = 1, 20 do
      local from, to = c, chan()
      go(function() from:recv() to:close() end)
      c = to
    end
  end},
  {"a ring", 5, function()
    local cs = {}
    for i = 1, 5 do cs[i] = chan() end
    for i = 1, 5 do go(function() cs[i]:recv() cs[i % 5 + 1]:send(1) end) end
  end},
  {"a channel in the buffer of a live one", 0, function()
    local c, outer = chan(), chan(1)
    outer:send({c})
    kept = outer
    go(function() c:recv() end)
  end},
  {"a channel in the buffer of a dead one", 1, function()
    local c, outer = chan(), chan(1)
    outer:send(c)
    weak[1] = outer
    go(function() c:recv() end)
  end},
  {"a channel that somebody sends on a live one", 0, function()
    local c = chan()
    kept = chan()
    go(function() kept:send(c) end)
    go(function() c:recv() end)
  end},
  {"a channel that a select offers to a live one", 0, function()
    local c, other = chan(), chan()
    kept = chan()
    go(function(v) select case kept <- v then case <-other then end end, c)
    go(function() c:recv() end)
  end},
  {"only a weak table", 1, function()
    local c = chan()
    weak[1] = c
    go(function() c:recv() end)
  end},
  {"the value of a weak key that nobody has", 1, function()
    local c = chan()
    ephemeron[{}] = c
    go(function() c:recv() end)
  end},
  {"the value of a weak key that somebody has", 0, function()
    local c = chan()
    kept = {}
    ephemeron[kept] = c
    go(function() c:recv() end)
  end},
  {"the value of a weak key that only its waiter has", 1, function()
    local c, key = chan(), {}
    ephemeron[key] = c
    go(function() c:recv() return key end)
  end},
  {"time.after in a select", 0, function()
    local c = chan()
    go(function() select case <-c then case <-time.after(30) then end end)
  end},
  {"time.after", 0, function() go(function() local v = <-time.after(30) end) end},
  {"a ticker, a timer", 0, function()
    local t, u = time.ticker(30), time.timer(30)
    go(function() t.c:recv() end)
    go(function() u.c:recv() end)
  end},
  {"a stopped ticker, a stopped timer", 2, function()
    local t, u = time.ticker(30), time.timer(30)
    t:stop()
    u:stop()
    go(function() t.c:recv() end)
    go(function() u.c:recv() end)
  end},
  {"a timer that has fired and was read", 1, function()
    local t = time.timer(0)
    t.c:recv()
    go(function() t.c:recv() end)
  end},
  {"a timer that somebody may reset", 0, function()
    local t = time.timer(0)
    t.c:recv()
    kept = t
    go(function() t.c:recv() end)
  end},
  {"time.afterfunc", 0, function()
    local c = chan()
    time.afterfunc(30, function() c:send(1) end)
    go(function() c:recv() end)
  end},
  {"a context: cancel is held, by a timer or a caller", 0, function()
    local function withcancel() local done = chan() return {done = done}, function() done:close() end end
    local ctx, cancel = withcancel()
    go(function() ctx.done:recv() end)
    time.afterfunc(30, cancel)
    local ctx2, cancel2 = withcancel()
    go(function() ctx2.done:recv() end)
    kept = {cancel2}
  end},
  {"a context whose cancel was forgotten", 1, function()
    local function withcancel() local done = chan() return {done = done}, function() done:close() end end
    local ctx = withcancel()
    kept = {setmetatable({}, {__mode = "v"})}
    kept[1].ctx = ctx
    go(function() ctx.done:recv() end)
  end},
  {"a context below one that a global can cancel, one with a deadline", 0, function()
    local parent, cancel = context.withcancel(context.background())
    kept = cancel
    local ctx = context.withvalue((context.withcancel(parent)), "k", 1)
    go(function() ctx:done():recv() end)
    local sem = sync.semaphore(1)
    sem:acquire()
    go(function() sem:acquire(1, ctx) end)
    local late = context.withtimeout(context.background(), 30)
    go(function() late:done():recv() end)
  end},
  {"a context that nobody can cancel", 2, function()
    local ctx = context.withcancel(context.background())
    go(function() ctx:done():recv() end)
    local sem = sync.semaphore(1)
    sem:acquire()
    go(function() sem:acquire(1, ctx) end)
  end},
  {"the background cancels nobody", 1, function()
    local sem = sync.semaphore(1)
    sem:acquire()
    go(function() sem:acquire(1, context.background()) end)
  end},
  {"an errgroup of a live goroutine", 0, function()
    local g = sync.errgroup(context.background())
    g:go(function() stop:recv() end)
    go(function() g:wait() end)
  end},
  {"an errgroup of a leaked goroutine", 2, function()
    local g = sync.errgroup(context.background())
    g:go(function() chan():recv() end)
    go(function() g:wait() end)
  end},
  {"a mutex that a live goroutine holds", 0, function()
    local m = sync.mutex()
    go(function() local _ <close> = m:lock() stop:recv() end)
    settle()
    go(function() m:lock() end)
  end},
  {"a mutex that a leaked goroutine holds", 2, function()
    local m = sync.mutex()
    go(function() local _ <close> = m:lock() chan():recv() end)
    settle()
    go(function() m:lock() end)
  end},
  {"a wait group counts a live goroutine", 0, function()
    local wg = sync.waitgroup()
    wg:go(function() stop:recv() end)
    go(function() wg:wait() end)
  end},
  {"a wait group counts a leaked goroutine", 2, function()
    local wg = sync.waitgroup()
    wg:go(function() chan():recv() end)
    go(function() wg:wait() end)
  end},
  {"a finalizer that will run", 0, function()
    local c = chan()
    go(function() c:recv() end)
    setmetatable({}, {__gc = function() c:close() end})
  end},
  {"a finalizer that will not run: its object belongs to the waiter", 1, function()
    local c = chan()
    local guard = setmetatable({}, {__gc = function() c:close() end})
    go(function() c:recv() return guard end)
  end},
  {"sync.pool, sync.map, atomic.value", 0, function()
    local a, b, c = chan(), chan(), chan()
    kept = {sync.pool(function() return a end), sync.map(), atomic.value(c)} -- what lies in a pool is not kept for long
    kept[2]:store("b", b)
    for _, ch in ipairs {a, b, c} do go(function() ch:recv() end) end
  end},
  {"a table by goroutine is no way to wake it", 1, function()
    kept = {}
    go(function()
      kept[coroutine.running()] = "name"
      chan():recv()
    end)
  end},
}

local before = {}
for _, id in ipairs(leaks()) do before[id] = true end
for _, case in ipairs(cases) do
  local name, want, f = case[1], case[2], case[3]
  f()
  local n = 0
  for _, id in ipairs(leaks()) do
    if not before[id] then n = n + 1 end
    before[id] = true
  end
  if n ~= want then print(name, "leaks", n, "expected", want) end
  stop:close() -- and what leaks now is not the next case's
  stop, kept = chan(), nil
  package.loaded["leaks.test"], debug.getregistry()["leaks.test"] = nil, nil
  for _, id in ipairs(leaks()) do before[id] = true end
end

-- Goroutine 1 may leak too, and a leaked goroutine can still be woken, if somebody gets at it: through a weak table here.
local found = chan(1)
go(function()
  settle()
  for _, l in ipairs(runtime.leaks()) do
    if l.id == 1 then found:send(l.state) end
  end
  weak.done:send(("x"):rep(100))
end)
local function wait(c)
  weak.done = c
  return <-c
end
print(#wait(chan()), (found:recv()))   -- expect: 100	chan receive

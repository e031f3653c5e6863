-- Every operation that waits works wherever Lua code can stand: in a coroutine, below pcall, in metamethods, iterators, __close,
-- deferred calls, __gc, comparators and callbacks of C functions, chunks that load and require run.
-- Protects: parking of flat and of nested goroutines (runtime/park.c, runtime/block.c), vm/call.c.
local bg = context.background()
-- Each waits until another goroutine, which it starts, has done something.
local waits = {
  function() local c = chan() go(function() c:send(1) end) return (c:recv()) == 1 end,
  function() local c = chan() go(function() c <- 1 end) local v, ok = <-c return v == 1 and ok end,
  function() local c, d = chan(), chan(1) go(function() d <- <-c end) c <- 2 return <-d == 2 end,
  function() local c = chan() go(function() c:close() end) for _ in c do return false end return true end,
  function() local c = chan() go(function() c:send(3) end) select case v = <-c then return v == 3 case <-chan() then end end,
  function() local c = chan() go(function() c:send(4) end) return (select {{recv = chan()}, {recv = c}}) == 2 end,
  function() local m = sync.mutex() m:lock() go(function() m:unlock() end) m:lock() return not m:trylock() end,
  function() local m = sync.rwmutex() m:lock() go(function() m:unlock() end) m:rlock() m:runlock() return m:trylock() end,
  function() local m = sync.rwmutex() m:rlock() go(function() m:runlock() end) m:lock() return not m:tryrlock() end,
  function() local w, x = sync.waitgroup() w:go(function() x = 1 end) w:wait() return x == 1 end,
  function()
    local m = sync.mutex()
    local c, x = sync.cond(m), 0
    m:lock()
    go(function() m:lock() x = 1 c:signal() m:unlock() end)
    while x == 0 do c:wait() end
    m:unlock()
    return true
  end,
  function() local s = sync.semaphore(1) s:acquire() go(function() s:release() end) return s:acquire() end,
  function() local s = sync.semaphore(0) return s:acquire(1, context.withtimeout(bg, 0.0005)) == nil end,
  function()
    local o, began, c, x = sync.once(), chan(), chan()
    go(function() o(function() began:send(1) c:recv() x = 1 end) end)
    began:recv()
    go(function() c:send(1) end)
    o(print, "never")
    return x == 1
  end,
  function() local f = sync.oncevalue(function() local c = chan() go(function() c:send(5) end) return <-c end) return f() == 5 end,
  function() return sync.singleflight():run(1, function() local c = chan() go(function() c:send(6) end) return <-c end) == 6 end,
  function() local g, x = sync.errgroup() g:go(function() x = 1 end) return g:wait() and x == 1 end,
  function() local x local t0 = time.monotonic() time.sleep(0.0003) return time.monotonic() - t0 >= 0.0003 end,
  function() return (<-time.after(0.0003)) > 0 end,
  function() local ctx, cancel = context.withcancel(bg) go(cancel) return (ctx:done():recv()) == nil and ctx:err() == "context canceled" end,
  function() runtime.gosched() collectgarbage() return true end,
}
local function meta(event, use) return function(w) local r use(setmetatable({}, {[event] = function() r = w() return r end})) return r end end
local places = {
  plain = function(w) return w() end,
  coroutine = function(w) return coroutine.wrap(function() return w() end)() end,
  ["coroutine in a coroutine"] = function(w) return coroutine.wrap(function() coroutine.yield(coroutine.wrap(w)()) end)() end,
  pcall = function(w) return select(2, pcall(w)) end,
  xpcall = function(w) return select(2, xpcall(w, print)) end,
  ["error handler"] = function(w) return select(2, xpcall(error, function() return w() end)) end,
  __index = meta("__index", function(t) return t.x end),
  __newindex = meta("__newindex", function(t) t.x = 1 end),
  __call = meta("__call", function(t) t() end),
  __add = meta("__add", function(t) return t + 1 end),
  __concat = meta("__concat", function(t) return "a" .. t end),
  __eq = meta("__eq", function(t) return t == {} end),
  __lt = meta("__lt", function(t) return t < t end),
  __len = meta("__len", function(t) return #t end),
  __unm = meta("__unm", function(t) return -t end),
  __tostring = function(w) local r tostring(setmetatable({}, {__tostring = function() r = w() return "" end})) return r end,
  __pairs = function(w) local r for _ in pairs(setmetatable({}, {__pairs = function() r = w() return next, {} end})) do end return r end,
  __close = function(w) local r do local _ <close> = setmetatable({}, {__close = function() r = w() end}) end return r end,
  ["__close after an error"] = function(w)
    local r
    pcall(function() local _ <close> = setmetatable({}, {__close = function() r = w() end}) error() end)
    return r
  end,
  defer = function(w) local r local function f() defer function() r = w() end() end f() return r end,
  ["defer, function form"] = function(w) local r do local _ <close> = defer(function() r = w() end) end return r end,
  __gc = function(w)
    local done, r = chan(1), nil
    local function drop() setmetatable({}, {__gc = function() r = w() done:send(true) end}) end
    drop()
    collectgarbage()
    collectgarbage()
    done:recv()
    return r
  end,
  iterator = function(w) for v in function(_, last) return last == nil and w() or nil end do return v end end,
  ["table.sort"] = function(w) local r table.sort({2, 1}, function(a, b) if r == nil then r = w() end return a < b end) return r end,
  ["string.gsub"] = function(w) local r ("x"):gsub("x", function() r = w() end) return r end,
  ["load"] = function(w) return load("return (...)()")(w) end,
  ["reader of load"] = function(w) local r load(function() if r == nil then r = w() return "return 1" end end) return r end,
  require = function(w)
    local r
    package.preload.blocking_everywhere = function() r = w() return true end
    require "blocking_everywhere"
    package.loaded.blocking_everywhere = nil
    return r
  end,
  goroutine = function(w) local c = chan() go(function() c:send(w()) end) return <-c end,
  ["once"] = function(w) local r sync.once()(function() r = w() end) return r end,
  ["range of a sync.map"] = function(w) local m, r = sync.map() m:store(1, 1) m:range(function() r = w() end) return r end,
  ["new of a pool"] = function(w) return sync.pool(w):get() end,
  ["handler of a select"] = function(w) local c = chan(1) c:send(1) return (select {{recv = c, function() return w() end}}) end,
  ["default of a select"] = function(w) return (select {default = function() return w() end}) end,
}
local n, mixed = 0, {}
for name, place in pairs(places) do
  mixed[#mixed + 1] = place
  for i, wait in ipairs(waits) do
    n = n + 1
    if place(wait) ~= true then error("wait " .. i .. " in " .. name) end
  end
end
-- Places within places, on several goroutines.
local wg = sync.waitgroup()
for g = 1, 4 do
  wg:go(function()
    for i = 1, os.getenv "LUNGODEBUG" and 10 or 100 do
      local outer, inner, wait = mixed[(i * 7 + g) % #mixed + 1], mixed[(i * 3 + g) % #mixed + 1], waits[(i + g) % #waits + 1]
      if inner ~= places.require and outer ~= places.require and inner ~= places.__gc and outer ~= places.__gc then
        assert(outer(function() return inner(wait) end) == true)
      end
    end
  end)
end
wg:wait()
print(n == #mixed * #waits) -- expect: true

-- runtime.goexit ends its goroutine from wherever Lua code can stand: everything deferred runs, locks that are to be closed are
-- let go, who waits goes on, no pcall or error handler sees it, and nothing after it runs.
-- Protects: vm/call.c (STATUS_GOEXIT), runtime/host.c (rt_goexitc), the objects whose functions it leaves.
local function meta(event, use) return function(f) use(setmetatable({}, {[event] = f})) end end
local places = {
  plain = function(f) f() end,
  pcall = function(f) pcall(f) end,
  ["pcall of pcall"] = function(f) pcall(pcall, pcall, f) end,
  xpcall = function(f) xpcall(f, function() error "handler" end) end,
  ["error handler"] = function(f) xpcall(error, function() f() end) end,
  coroutine = function(f) coroutine.wrap(f)() end,
  ["coroutine by resume"] = function(f) coroutine.resume(coroutine.create(function() pcall(f) end)) end,
  ["coroutine after a yield"] = function(f)
    local co = coroutine.wrap(function() coroutine.yield() f() end)
    co()
    co()
  end,
  __index = meta("__index", function(t) return t.x end),
  __newindex = meta("__newindex", function(t) t.x = 1 end),
  __add = meta("__add", function(t) return t + 1 end),
  __eq = meta("__eq", function(t) return t == {} end),
  __lt = meta("__lt", function(t) return t < t end),
  __concat = meta("__concat", function(t) return t .. "" end),
  __call = meta("__call", function(t) t() end),
  __tostring = meta("__tostring", tostring),
  __pairs = meta("__pairs", pairs),
  __close = function(f) do local _ <close> = setmetatable({}, {__close = f}) end end,
  ["__close after an error"] = function(f) pcall(function() local _ <close> = setmetatable({}, {__close = f}) error "e" end) end,
  defer = function(f) defer f() end,
  ["defer after an error"] = function(f) pcall(function() defer f() error "e" end) end,
  ["defer of goexit"] = function(f) defer f() runtime.goexit() end,
  ["coroutine.close"] = function(f)
    local co = coroutine.create(function() defer f() coroutine.yield() end)
    coroutine.resume(co)
    coroutine.close(co)
  end,
  iterator = function(f) for _ in f do end end,
  ["table.sort"] = function(f) table.sort({2, 1, 3}, f) end,
  ["string.gsub"] = function(f) ("xy"):gsub(".", f) end,
  load = function(f) load("(...)()")(f) end,
  ["reader of load"] = function(f) load(f) end,
  once = function(f) sync.once()(f) end,
  oncevalue = function(f) sync.oncevalue(f)() end,
  singleflight = function(f) sync.singleflight():run(1, f) end,
  ["range of a map"] = function(f) local m = sync.map() m:store(1, 1) m:range(f) end,
  ["new of a pool"] = function(f) sync.pool(f):get() end,
  ["handler of a select"] = function(f) local c = chan(1) c:send(1) select {{recv = c, f}} end,
  ["handler of a select that waited"] = function(f)
    local c = chan()
    go(function() c:send(1) end)
    select {{recv = c, f}}
  end,
  ["default of a select"] = function(f) select {default = f} end,
  ["case of a select"] = function(f) local c = chan(1) c:send(1) select case v = <-c then f() end end,
  ["channel of a select"] = function(f) select case <-f() then end end,
  ["locker of a condition"] = function(f) sync.cond {lock = print, unlock = f}:wait() end,
  ["after a wait"] = function(f) local c = chan() go(function() c:send(1) end) c:recv() f() end,
}
local names, wg, mu, rw = {}, sync.waitgroup(), sync.mutex(), sync.rwmutex()
for name in pairs(places) do names[#names + 1] = name end
local log = chan(10)
local function try(name)
  wg:go(function()
    defer log:send "first deferred"
    local _ <close> = mu:lock()
    local _ <close> = rw:rlock()
    defer function() runtime.gosched() log:send "last deferred" end()
    places[name](function() runtime.goexit() end)
    log:send("came back from " .. name)
  end)
  wg:wait()
end
for _, name in ipairs(names) do
  try(name)
  local a, b = <-log, <-log
  if a ~= "last deferred" or b ~= "first deferred" then print(name, a, b) end
  if #log > 0 then print(name, <-log) end
  assert(mu:trylock() and rw:trylock(), name)
  mu:unlock() rw:unlock()
end
-- Each within each other, on several goroutines.
local ended = atomic.int()
local N = 0
for _, outer in ipairs(names) do
  for _, inner in ipairs(names) do
    N = N + 1
    wg:go(function()
      defer ended:add(1)
      places[outer](function() places[inner](function() runtime.goexit() end) end)
      print("came back", outer, inner)
    end)
  end
end
wg:wait()
print(ended:load() == N) -- expect: true
-- Errgroups and timers' goroutines count and end as well.
local g = sync.errgroup()
for _ = 1, 3 do g:go(runtime.goexit) end
assert(g:wait() == true)
time.afterfunc(0, function() defer log:send "timer" runtime.goexit() end)
print(<-log) -- expect: timer
while runtime.numgoroutine() > 1 do runtime.gosched() end

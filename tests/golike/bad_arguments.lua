-- Every public function and method of channels, sync, atomic, time, context and runtime, given every wrong kind of argument in
-- every place: an error of the caller that names the argument and the function, and the object still works. A function
-- that has no row here is reported, so the table stays complete.
-- Protects: stdlib/*.c (checks of arguments).
local bg, nan, inf = context.background(), 0 / 0, math.huge
local samples = {
  ["nil"] = {}, boolean = {true}, string = {"x"}, float = {1.5}, table = {{}}, ["function"] = {print}, chan = {chan()},
  thread = {coroutine.create(print)}, mutex = {sync.mutex()}, context = {bg}, nan = {nan}, inf = {inf}, negative = {-1},
}
-- Kinds of parameters: what they refuse. `?` in a row makes nil (and none) acceptable.
local not_number = {"nil", "boolean", "string", "table", "function", "chan", "thread", "mutex", "context"}
local function plus(list, ...) return table.move({...}, 1, select("#", ...), #list + 1, table.move(list, 1, #list, 1, {})) end
local refuses = {
  duration = plus(not_number, "nan"),
  interval = plus(not_number, "nan", "negative"),
  number = not_number,
  integer = plus(not_number, "float", "nan", "inf"),
  count = plus(not_number, "float", "nan", "inf", "negative"),
  callable = {"nil", "boolean", "string", "float", "table", "chan_", "thread", "mutex"},
  boolean = {"nil", "string", "float", "table", "function", "chan", "thread", "mutex", "context"},
  context = {"nil", "boolean", "string", "float", "table", "function", "chan", "thread", "mutex"},
  locker = {"nil", "boolean", "string", "float", "table", "function", "chan", "thread", "context"},
  key = {"nil", "nan"},
  oldkey = {"nil"}, -- of something to take out: what cannot be in there is not there
  any = {}, -- takes all
  present = {}, -- takes all, but must be there
}
local optional = {["capacity?"] = "count", ["integer?"] = "integer", ["count?"] = "count", ["callable?"] = "callable", ["boolean?"] = "boolean", ["context?"] = "context"}
local valid = {
  duration = 0.001, interval = 3600, number = 1, integer = 1, count = 1, callable = function() end, boolean = true, context = bg,
  locker = sync.mutex(), key = "k", oldkey = "k", any = 1, present = 1,
}
local complaints = 0
local function complain(...) complaints = complaints + 1 print(...) end
-- A call by name, so that the message has the name that a program's own call would give it.
local function caller(name) return load("local o = ... return function(...) return o." .. name .. "(...) end") end
local function check(what, name, f, first, params)
  local good = {}
  for i, kind in ipairs(params) do good[first + i] = valid[optional[kind] or kind] end
  for i, kind in ipairs(params) do
    local refused = {}
    for _, k in ipairs(refuses[optional[kind] or kind]) do
      if samples[k] and not (optional[kind] and k == "nil") then refused[#refused + 1] = k end
    end
    for _, k in ipairs(refused) do
      local args = {f.self, n = first + #params}
      for j = 1, #params do args[first + j] = good[first + j] end
      args[first + i] = samples[k][1]
      local ok, e = pcall(f.call, table.unpack(args, 1, args.n))
      local place = "bad argument #" .. first + i .. " to '" .. name .. "'"
      if ok then complain(what .. " takes a " .. k .. " as argument " .. first + i)
      elseif not tostring(e):find(place, 1, true) and not (kind:find "key" and tostring(e):find "table index is") then complain(what, k, e) end
    end
    if not optional[kind] and kind ~= "any" and kind ~= "present" then -- none at all
      local args = {f.self}
      for j = 1, i - 1 do args[first + j] = good[first + j] end
      local ok, e = pcall(f.call, table.unpack(args, 1, first + i - 1))
      if ok then complain(what .. " does without argument " .. first + i)
      elseif not kind:find "key" and not tostring(e):find("bad argument #" .. first + i .. " to '" .. name .. "' %(.*got no value%)") then complain(what, "none", e) end
    end
  end
end
-- ---- functions: every one in the libraries' tables
local functions = {
  sync = {mutex = {}, rwmutex = {}, waitgroup = {}, once = {}, oncevalue = {"callable"}, cond = {"locker"}, pool = {"callable?"}, map = {},
    semaphore = {"count"}, errgroup = {"context?"}, singleflight = {}},
  atomic = {int = {"integer?"}, bool = {"boolean?"}, value = {"any"}},
  time = {sleep = {"duration"}, after = {"duration"}, tick = {"duration"}, timer = {"duration"}, ticker = {"interval"},
    afterfunc = {"duration", "callable"}, now = {}, monotonic = {}, since = {"number"}, format = {"duration"}},
  context = {background = {}, withcancel = {"context"}, withcancelcause = {"context"}, withtimeout = {"context", "duration"},
    withdeadline = {"context", "duration"}, withvalue = {"context", "key", "any"}},
  runtime = {gomaxprocs = {"integer?"}, numcpu = {}, numgoroutine = {}, gosched = {}, goid = {}, stack = {"any"}, leaks = {}, gc = {},
    memstats = {}, stats = {}, lockosthread = {}, unlockosthread = {}, goexit = {}},
}
local procs = runtime.gomaxprocs()
for lib, rows in pairs(functions) do
  for name, f in pairs(_G[lib]) do
    if type(f) == "function" and not rows[name] then complain(lib .. "." .. name .. " has no row") end
  end
  for name, params in pairs(rows) do
    if type(_G[lib][name]) ~= "function" then complain(lib .. "." .. name .. " is gone") end
    check(lib .. "." .. name, name, {call = caller(name)(_G[lib])}, 0, params)
  end
end
check("go", "go", {call = function(...) return go(...) end}, 0, {"callable"})
check("defer", "defer", {call = function(...) return defer(...) end}, 0, {"callable"})
for _, bad in ipairs {true, {}, print, 1.5, nan, inf, -1, "x", "chan integer", 1 << 40, bg} do
  local ok, e = pcall(function() return chan(bad) end)
  if ok or not e:find("bad argument #1 to 'chan'", 1, true) then complain("chan", bad, e) end
  ok, e = pcall(function() return chan("integer", bad) end)
  if ok or not e:find("bad argument #2 to 'chan'", 1, true) then complain("chan", "integer", bad, e) end
end
-- ---- methods: every one of each class
local int, sem = atomic.int(1), sync.semaphore(3)
local classes = {
  {"chan", chan(100), {send = {"present"}, recv = {}, trysend = {"present"}, tryrecv = {}, close = {}, cap = {}, sender = {}, receiver = {}}},
  {"sync.mutex", sync.mutex(), {lock = {}, unlock = {}, trylock = {}}},
  {"sync.rwmutex", sync.rwmutex(), {lock = {}, unlock = {}, trylock = {}, rlock = {}, runlock = {}, tryrlock = {}}},
  {"sync.waitgroup", sync.waitgroup(), {add = {"integer?"}, done = {}, wait = {}, go = {"callable"}}},
  {"sync.cond", sync.cond(sync.mutex()), {wait = {}, signal = {}, broadcast = {}}},
  {"sync.pool", sync.pool(), {get = {}, put = {"any"}}},
  {"sync.map", sync.map(), {load = {"any"}, store = {"key", "any"}, loadorstore = {"key", "any"}, loadanddelete = {"oldkey"}, delete = {"oldkey"},
    swap = {"key", "any"}, compareandswap = {"oldkey", "any", "any"}, range = {"callable"}}},
  {"sync.semaphore", sem, {acquire = {"count?", "context?"}, tryacquire = {"count?"}, release = {"count?"}}},
  {"sync.errgroup", (sync.errgroup()), {go = {"callable"}, setlimit = {"integer"}, wait = {}}},
  {"sync.singleflight", sync.singleflight(), {run = {"key", "callable"}}},
  {"atomic.int", int, {load = {}, store = {"integer"}, add = {"integer"}, swap = {"integer"}, compareandswap = {"integer", "integer"},
    cas = {"integer", "integer"}, band = {"integer"}, bor = {"integer"}}},
  {"atomic.bool", atomic.bool(), {load = {}, store = {"boolean"}, swap = {"boolean"}, compareandswap = {"boolean", "boolean"}, cas = {"boolean", "boolean"}}},
  {"atomic.value", atomic.value(), {load = {}, store = {"any"}, swap = {"any"}, compareandswap = {"any", "any"}, cas = {"any", "any"}}},
  {"time.timer", time.timer(3600), {stop = {}, reset = {"duration"}}},
  {"time.ticker", time.ticker(3600), {stop = {}, reset = {"interval"}}},
  {"context", (context.withcancel(bg)), {done = {}, err = {}, cause = {}, deadline = {}, value = {"any"}}},
}
local function methods(o)
  local index = getmetatable(o).__index
  return type(index) == "table" and index or select(2, debug.getupvalue(index, 1))
end
for _, class in ipairs(classes) do
  local kind, o, rows = table.unpack(class)
  if getmetatable(o).__name ~= kind then complain(kind .. " calls itself " .. getmetatable(o).__name) end
  for name in pairs(methods(o)) do if not rows[name] then complain(kind .. ":" .. name .. " has no row") end end
  for name, params in pairs(rows) do
    local call = caller(name)(o)
    -- Another self, of every kind but the right one.
    for k, sample in pairs(samples) do
      if not (k == kind or "sync." .. k == kind) then
        local ok, e = pcall(call, sample[1])
        if ok or not e:find("bad argument #1 to '" .. name .. "' (" .. kind .. " expected, got", 1, true) then complain(kind .. ":" .. name, k, e) end
      end
    end
    local ok, e = pcall(call)
    if ok or not e:find("bad argument #1 to '" .. name .. "' (" .. kind .. " expected, got no value)", 1, true) then complain(kind .. ":" .. name, "none", e) end
    check(kind .. ":" .. name, name, {call = call, self = o}, 1, params)
  end
end
runtime.gomaxprocs(procs)
-- ---- and they all still work
local function fine(what, ok) if not ok then complain(what .. " does not work any more") end end
local by = {}
for _, class in ipairs(classes) do by[class[1]] = class[2] end
local c = by.chan
while #c > 0 do c:recv() end
c:send("v")
fine("chan", c:recv() == "v" and not select(3, c:tryrecv()))
local mu, rw = by["sync.mutex"], by["sync.rwmutex"]
fine("mutex", mu:trylock() and not mu:trylock() and mu:unlock() == nil)
fine("rwmutex", rw:tryrlock() and not rw:trylock() and rw:runlock() == nil and rw:trylock() and not rw:tryrlock())
by["sync.waitgroup"]:wait()
fine("semaphore", sem:tryacquire(3) and not sem:tryacquire(1) and not sem:tryacquire(4))
by["sync.map"]:store("k", 5)
fine("map", by["sync.map"]:load("k") == 5)
fine("errgroup", by["sync.errgroup"]:wait())
fine("singleflight", by["sync.singleflight"]:run("k", function() return 3 end) == 3)
int:store(4)
fine("atomic.int", int:add(1) == 5 and not int:cas(4, 1))
fine("timer", by["time.timer"]:reset(0) and by["time.timer"].c:recv())
by["time.ticker"]:reset(0.0001)
fine("ticker", by["time.ticker"].c:recv())
fine("context", by.context:err() == nil)
print(complaints) -- expect: 0

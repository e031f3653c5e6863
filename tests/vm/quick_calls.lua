-- Functions with a quick half give the same results, and the same errors, as when they are called by pcall, where they
-- have none. Each call site is run several times: the first time finds the quick half, the later ones use it.
-- Protects: vm/quick.c, OP_CALL in vm/interp.c, stdlib/quicklib.c, atomiclib.c, synclib.c, syncdata.c, golib.c.
local unpack, pack, pcall = table.unpack, table.pack, pcall
local inf, nan = math.huge, 0 / 0
local co = coroutine.create(print)

local function same(a, b)
  if a ~= a then return b ~= b end
  if type(a) == "table" and type(b) == "table" and not rawequal(a, b) then -- results of pack
    if #a ~= #b then return false end
    for i = 1, #a do if not same(a[i], b[i]) then return false end end
    return true
  end
  return rawequal(a, b) and math.type(a) == math.type(b)
end

local values = {
  nil, true, false, 0, 1, 2, 3, -1, -3, 5, 1 << 47, math.mininteger, math.maxinteger, 0.0, -0.0, 1.5, -1.5, 2.0, 1e15, 1e300, inf,
  -inf, nan, "", "a", "#", "#x", "1", "2.5", "0x10", "hello world", ("x"):rep(100), {}, { 1, 2, 3 }, { n = 1 },
  setmetatable({}, { __metatable = "protected" }), setmetatable({ 1 }, { __index = { 7 }, __len = function() return 3 end }), print, same, co,
  io.stdout, sync.mutex()
}
local nvalues = 42

local functions = {
  "type", "rawget", "rawequal", "rawlen", "getmetatable", "tostring", "tonumber", "assert", "select", "ipairs", "math.floor",
  "math.ceil", "math.abs", "math.sqrt", "math.max", "math.min", "string.len", "string.byte", "string.sub"
}
-- One call site for each function and way to take results.
local sites = {}
for _, name in ipairs(functions) do
  sites[name] = assert(load(([[
    local pack, f = table.pack, %s
    return function(n, a, b, c, d)
      local r, x, y, z
      if n == 0 then
        f() x = f() y, z = f() r = pack(f())
      elseif n == 1 then
        f(a) x = f(a) y, z = f(a) r = pack(f(a))
      elseif n == 2 then
        f(a, b) x = f(a, b) y, z = f(a, b) r = pack(f(a, b))
      elseif n == 3 then
        f(a, b, c) x = f(a, b, c) y, z = f(a, b, c) r = pack(f(a, b, c))
      else
        f(a, b, c, d) x = f(a, b, c, d) y, z = f(a, b, c, d) r = pack(f(a, b, c, d))
      end
      return r, x, y, z
    end, f]]):format(name)))
end

-- Without position and without the name of the function, which each call site has its own of.
local function message(err) return type(err) == "string" and err:gsub("^.-:%d+: ", ""):gsub("to '[^']*'", "to '?'") or err end

local calls = 0
local function check(name, n, ...)
  local call, f = sites[name]()
  local want = pack(pcall(f, unpack({ ... }, 1, n)))
  for _ = 1, 2 do
    local ok, r, x, y, z = pcall(call, n, ...)
    calls = calls + 1
    if not ok then
      assert(not want[1] and same(message(r), message(want[2])), name .. ": " .. tostring(r))
    else
      assert(want[1], name)
      assert(r.n == want.n - 1, name)
      for i = 1, r.n do assert(same(r[i], want[i + 1]), name) end
      assert(same(x, want[2]) and same(y, want[2]) and same(z, want[3]), name)
    end
  end
end
local state = 7
local function pick()
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return values[state // 8 % nvalues + 1]
end
for _, name in ipairs(functions) do
  check(name, 0)
  for i = 1, nvalues do
    if name ~= "select" or type(values[i]) ~= "table" then check(name, 1, values[i]) end -- that selects over channels
  end
  for _ = 1, 300 do check(name, 2, pick(), pick()) end
  for _ = 1, 100 do check(name, 3, pick(), pick(), pick()) end
  for _ = 1, 30 do check(name, 4, pick(), pick(), pick(), pick()) end
end
for i = -12, 12 do
  check("string.byte", 2, "hello world", i)
  for j = -12, 12 do check("string.sub", 3, "hello world", i, j) end
end

-- Around the length from which on string.sub has no quick half.
local long = ("0123456789"):rep(12)
for n = 38, 43 do for _ = 1, 3 do assert(select(2, pcall(string.sub, long, 3, n + 2)) == long:sub(3, n + 2)) end end

-- table.insert and table.remove: plain tables, tables with metatables, borders.
for _ = 1, 3 do
  local t, log = {}, {}
  for i = 1, 100 do table.insert(t, i) end
  for i = 100, 1, -1 do assert(table.remove(t) == i and #t == i - 1) end
  assert(table.remove(t) == nil and select("#", table.remove(t)) == 1)
  local p = setmetatable({}, { __newindex = function(_, k, v) log[#log + 1] = k .. "=" .. v end })
  table.insert(p, "x")
  assert(log[1] == "1=x" and rawlen(p) == 0)
  assert(not pcall(table.insert, t) and not pcall(table.insert, nil, 1))
end

-- The objects: values, wrong arguments, wrong objects.
local a, b, m = atomic.int(5), atomic.int(), sync.map()
local mu, rw, wg = sync.mutex(), sync.rwmutex(), sync.waitgroup()
for i = 1, 5 do
  assert(a:load() == 5 and a:add(2) == 7 and a:swap(9) == 7 and a:cas(9, 5) == true and a:cas(9, 5) == false)
  b:store(i)
  assert(b:load() == i)
  local f = a.add
  for _, bad in ipairs { mu, 3, "x", {}, b.load } do assert(not pcall(function() return f(bad, 1) end)) end
  assert(not pcall(function() return a:add("x") end) and a:add("1") == 6 and a:add(-1.0) == 5)
  m:store(i, "v" .. i)
  assert(m:load(i) == "v" .. i and m:load(i + 1) == nil)
  assert(mu:lock() == mu and mu:trylock() == false)
  mu:unlock()
  local ok, err = pcall(function() mu:unlock() end)
  assert(not ok and err:find("unlock of unlocked mutex", 1, true))
  assert(rw:lock() == rw)
  rw:unlock()
  local r = rw:rlock()
  assert(rw:rlock() == r and r ~= rw)
  rw:runlock() rw:runlock()
  assert(not pcall(function() rw:runlock() end) and not pcall(function() rw:unlock() end))
  wg:add(2) wg:add()
  wg:done() wg:add(-1) wg:done()
  ok, err = pcall(function() wg:done() end)
  assert(not ok and err:find("negative WaitGroup counter", 1, true))
  wg:wait()
end

-- A hook sees the calls; a traceback shows the function.
local seen = {}
debug.sethook(function() seen[#seen + 1] = debug.getinfo(2, "n").name end, "c")
for _ = 1, 2 do local _ = math.floor(1.5) end
debug.sethook()
assert(seen[1] == "floor" and seen[2] == "floor")
for _ = 1, 3 do
  local tb = select(2, xpcall(function() math.floor({}) end, debug.traceback))
  assert(tb:find("in function 'math.floor'", 1, true))
end

-- A call site that meets other functions later.
local function apply(f, x) return (f(x)) end
for _ = 1, 3 do
  assert(apply(math.floor, 2.5) == 2 and apply(math.ceil, 2.5) == 3 and apply(print, nil) == nil)
  assert(apply(function(x) return x end, 1) == 1 and apply(type, 1) == "number" and apply(math.floor, 3.5) == 3)
end
assert(calls > 10000)

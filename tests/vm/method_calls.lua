-- A method call without arguments, or with one integer constant, may be one instruction (SELFCALL, SELFCALLI,
-- UPSELFCALL): it does the same as the instructions it stands for, whatever the object, the method and the wanted results.
-- Protects: SELFCALL, SELFCALLI and UPSELFCALL in vm/interp.c, vm/codegen_expr.c, vm/opcodes.c, vm/dbg_names.c.
local pack, unpack = table.pack, table.unpack

-- Each site calls `name` of the object as a local, a captured variable, and the result of an expression.
local source = [[
  local up
  local function get() return up end
  local function nothing() up:%s end
  local function one() local x = up:%s return x end
  local function three() local x, y, z = up:%s return x, y, z end
  local function all() return (table.pack(up:%s)) end
  local function here(o) local x = o:%s return x end
  local function herethree(o) o:%s local x, y, z = o:%s return x, y, z end
  local function result() local x = get():%s return x end
  local function either(o) local x = (o or up):%s return x end
  return function(o) up = o return nothing, one, three, all, here, herethree, result, either end
]]
local function sites(call)
  return assert(load((source:gsub("%%s", (call:gsub("%%", "%%%%"))))))()
end

-- What n calls in a row of obj:name(...) would give.
local kinds = {
  { "load()", "load", function() return atomic.int(7) end },
  { "load()", "load", function() return atomic.bool(true) end },
  { "add(3)", "add", function() return atomic.int(7) end, 3 },
  { "add(-3)", "add", function() return atomic.int(7) end, -3 },
  { "store(5)", "store", function() return atomic.int(7) end, 5 },
  { "swap(9)", "swap", function() return atomic.int(7) end, 9 },
  { "add(3)", "add", function() return sync.mutex() end, 3 }, -- no such method
  { "load()", "load", function() return nil end },
  { "load()", "load", function() return "text" end },
  { "len()", "len", function() return "text" end },
  { "byte(2)", "byte", function() return "text" end, 2 },
  { "load()", "load", function() return { load = function(...) return select("#", ...), ... end } end },
  { "load(4)", "load", function() return { load = function(...) return select("#", ...), ... end } end, 4 },
  { "trylock()", "trylock", function() return sync.mutex() end },
  { "unlock()", "unlock", function() return sync.mutex() end },
  { "unlock()", "unlock", function() local m = sync.mutex() m:lock() return m end },
  { "load(2)", "load", function() return sync.map() end, 2 },
}
local function plainly(o, name, ...)
  local f = o[name]
  return f(o, ...)
end
local function same(a, b)
  if type(a) == "userdata" or type(a) == "table" then return type(a) == type(b) end
  return rawequal(a, b) and math.type(a) == math.type(b)
end
for _, kind in ipairs(kinds) do
  local call, name, make, arg = unpack(kind, 1, 4)
  local args = arg == nil and {} or { arg }
  for _, other in ipairs(kinds) do -- what the sites met before
    local make_site = sites(call)
    for _, object in ipairs { other[3], make, make } do
      for way = 1, 8 do
        local o, twin = object(), object()
        local f = select(way, make_site(o))
        local twice = way == 6
        local want = pack(pcall(plainly, twin, name, unpack(args)))
        if twice and want[1] then want = pack(pcall(plainly, twin, name, unpack(args))) end
        local got = pack(pcall(f, way ~= 8 and o or nil))
        assert(got[1] == want[1], call)
        if got[1] then
          local r = got[2]
          if way == 1 then
            assert(got.n == 1)
          elseif way == 4 then
            assert(r.n == want.n - 1)
            for i = 1, r.n do assert(same(r[i], want[i + 1])) end
          else
            for i = 2, (way == 3 or twice) and 4 or 2 do assert(same(got[i], want[i]), call) end
          end
        end
      end
    end
  end
end

-- Errors name the object and the method as ever, with the line of the call.
local mu, none, num = sync.mutex(), nil, 5
local function fails(f, want)
  for _ = 1, 3 do
    local ok, err = pcall(f)
    assert(not ok and err:find(want, 1, true), err)
  end
end
fails(function() none:lock() end, "attempt to index a nil value (upvalue 'none')")
fails(function() num:add(1) end, "attempt to index a number value (upvalue 'num')")
fails(function() mu:locke() end, "attempt to call a nil value (method 'locke')")
fails(function() mu:add(1) end, "attempt to call a nil value (method 'add')")
fails(function() local m <const> = {} m.x:lock() end, "attempt to index a nil value (field 'x')")
fails(function() mu:unlock() end, "unlock of unlocked mutex")
local line = debug.getinfo(1, "l").currentline
fails(function()
  mu
    :unlock(
    )
end, ":" .. line + 2 .. ": unlock of unlocked mutex")
local counter = atomic.int()
for _ = 1, 3 do
  local tb = select(2, xpcall(function() counter:add(1) mu:unlock() end, debug.traceback))
  assert(tb:find("in method 'unlock'", 1, true), tb)
end

-- Hooks see the call, and one that is set or taken away meanwhile too.
local function work() counter:load() counter:add(1) local c = counter c:load() end
for _ = 1, 3 do
  work()
  local names = {}
  debug.sethook(function() names[#names + 1] = debug.getinfo(2, "n").name end, "c")
  work()
  debug.sethook()
  assert(names[2] == "load" and names[3] == "add" and names[4] == "load", table.concat(names, " "))
end

-- Contended: the ordinary call parks.
local wg, total = sync.waitgroup(), 0
for _ = 1, 8 do
  wg:go(function()
    for i = 1, 2000 do
      mu:lock()
      total = total + 1
      if i % 100 == 0 then runtime.gosched() end
      mu:unlock()
      counter:add(1)
    end
  end)
end
wg:wait()
assert(total == 16000 and not mu:trylock() == false)
mu:unlock()

-- Dumped, stripped and loaded again.
local function sample(m, a)
  local function locked() m:lock() m:unlock() return a:add(1) end
  local b = a
  return locked() + b:load() + b:add(2)
end
local dump = string.dump(sample, true)
local again = assert(load(dump, "=again", "b"))
for _ = 1, 3 do
  local x, y = atomic.int(), atomic.int()
  assert(sample(mu, x) == again(mu, y) and x:load() == y:load())
end

-- Coroutines: values in and out, status, wrap, close, yield across pcall, metamethods, iterators, hooks into errors.
-- Protects: vm/coro.c, stdlib/corolib.c.
local create, resume, yield, status, wrap = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status, coroutine.wrap
local co = create(function(a, b)
  assert(a == 1 and b == 2 and status(coroutine.running()) == "running")
  local c, d, e = yield("first", nil)
  assert(c == 3 and d == nil and e == 5)
  return "end", "x"
end)
assert(status(co) == "suspended")
local r = table.pack(resume(co, 1, 2))
assert(r.n == 3 and r[1] == true and r[2] == "first" and r[3] == nil)
r = table.pack(resume(co, 3, nil, 5))
assert(r.n == 3 and r[2] == "end" and status(co) == "dead")
local ok, e = resume(co)
assert(not ok and e == "cannot resume dead coroutine")
-- errors
co = create(function() error({code = 7}) end)
ok, e = resume(co)
assert(not ok and e.code == 7 and status(co) == "dead")
co = create(function() local x = nil; x.y = 1 end)
ok, e = resume(co)
assert(not ok and e:find("attempt to index a nil value (local 'x')", 1, true))
assert(debug.traceback(co):find("coroutines.lua"))
ok, e = resume(coroutine.running())
assert(not ok and e == "cannot resume non-suspended coroutine")
ok, e = pcall(yield)
assert(not ok and e == "attempt to yield from outside a coroutine")
local main, ismain = coroutine.running()
assert(ismain and type(main) == "thread" and not coroutine.isyieldable())
co = create(function() return coroutine.running() end)
local _, t, m = resume(co)
assert(t == co and m == false)
-- wrap: error positions are added for strings
local w = wrap(function() error("oops") end)
ok, e = pcall(w)
assert(not ok and e:find("oops", 1, true))
ok, e = pcall(w)
assert(not ok and e:find("cannot resume dead coroutine", 1, true))
-- resume from inside another: status normal
local outer
outer = create(function()
  local inner = create(function()
    assert(status(outer) == "normal")
    local ok, e = resume(outer)
    assert(not ok and e == "cannot resume non-suspended coroutine")
    yield(1)
  end)
  assert(resume(inner))
  yield(2)
end)
assert(select(2, resume(outer)) == 2)
-- yield across pcall, xpcall, nested; error after yield inside pcall
co = wrap(function()
  local ok, e = pcall(function() yield(1); error("E", 0) end)
  assert(not ok and e == "E")
  yield(2)
  local ok2, v = xpcall(function() yield(3); local x = nil + 1 end, function(m) return "H:" .. m:match("attempt.*") end)
  assert(not ok2 and v == "H:attempt to perform arithmetic on a nil value")
  yield(4)
  return select("#", pcall(pcall, yield, 5))
end)
for i = 1, 5 do assert(co() == i) end
assert(co("back") == 3)
-- in iterators, metamethods, table functions that cannot yield
co = wrap(function()
  local sum = 0
  for v in function(_, c) local x = yield(c); return x end, nil, 0 do sum = sum + v end
  return sum
end)
assert(co() == 0 and co(5) == 5 and co(7) == 7 and co(nil) == 12)
co = wrap(function() return pcall(table.sort, {3, 2, 1}, function(a, b) yield() end) end)
ok, e = co()
assert(ok == false and e:find("attempt to yield across a C-call boundary", 1, true))
co = wrap(function() return pcall(string.gsub, "abc", ".", yield) end)
ok, e = co()
assert(ok == false and e == "attempt to yield across a C-call boundary")
-- generators
local function gen(n) return wrap(function() for i = 1, n do yield(i) end end) end
local s = 0
for v in gen(100) do s = s + v end
assert(s == 5050)
-- permutations through recursion
local function permgen(a, n)
  if n <= 1 then yield(table.concat(a)) else
    for i = 1, n do a[n], a[i] = a[i], a[n]; permgen(a, n - 1); a[n], a[i] = a[i], a[n] end
  end
end
local perms, seen = 0, {}
for p in wrap(function() permgen({1, 2, 3, 4, 5}, 5) end) do perms = perms + 1; assert(not seen[p]); seen[p] = true end
assert(perms == 120)
-- close
co = create(function() yield() end)
resume(co)
assert(coroutine.close(co) and status(co) == "dead" and coroutine.close(co))
co = create(print)
assert(coroutine.close(co) and status(co) == "dead")
co = create(function() error("x", 0) end)
resume(co)
ok, e = coroutine.close(co)
assert(not ok and e == "x")
assert(not pcall(coroutine.close, coroutine.running()))
-- a coroutine that yields from a deep stack, and survives a collection there
local function down(n) if n == 0 then yield("bottom") return 0 end return 1 + down(n - 1) end
co = wrap(function() return down(5000) end)
assert(co() == "bottom")
collectgarbage()
assert(co() == 5000)
-- many coroutines alive
local cos = {}
for i = 1, 2000 do cos[i] = wrap(function(a) while true do a = a + yield(a) end end); assert(cos[i](i) == i) end
collectgarbage()
for i = 1, 2000 do assert(cos[i](1) == i + 1) end
-- nested coroutines, each yields through its own level
local function nest(n) if n == 0 then return wrap(function() while true do yield("x") end end) end
  local inner = nest(n - 1)
  return wrap(function() while true do yield(inner() .. n) end end)
end
local top = nest(10)
assert(top() == "x12345678910" and top() == "x12345678910")
-- recursion of resume inside pcall in a coroutine; wrap inside for; isyieldable
co = create(function() return coroutine.isyieldable(), coroutine.isyieldable(main) end)
assert(select(2, resume(co)) == true)
-- passing many values
local big = {}
for i = 1, 200 do big[i] = i end
co = wrap(function(...) local n = select("#", ...); while true do n = select("#", yield(n, ...)) end end)
assert(select("#", co(table.unpack(big))) == 201)
-- the debug library on a suspended coroutine
co = create(function(a) local b = a * 2; yield(b) end)
resume(co, 21)
assert(debug.getinfo(co, 1, "l").currentline > 0 and select(2, debug.getlocal(co, 1, 1)) == 21 and debug.getlocal(co, 1, 2) == "b")
-- a coroutine as an upvalue of itself, garbage while suspended
for i = 1, 1000 do local c; c = create(function() local keep = c; yield(keep) end); resume(c) end
collectgarbage()

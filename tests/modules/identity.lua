-- A module's functions are ordinary C functions to programs: equal when pushed again, keys of tables, no upvalues more
-- than the module's, callable from everywhere.
-- Protects: vm/cmodule.c (closure_intern).
local m = require "onethread"
local f, known = m.same()
assert(f == m.add and rawequal(f, m.add) and known and type(f) == "function")
assert(({ [m.add] = "found" })[f] == "found")
assert(debug.getinfo(f).what == "C" and debug.getinfo(f).nups == 0 and debug.getupvalue(f, 1) == nil)
local it = m.steps(3)
assert(debug.getinfo(it).nups == 1 and select(2, debug.getupvalue(it, 1)) == 3)
assert(debug.getupvalue(it, 2) == nil and not pcall(string.dump, f))
assert(debug.setupvalue(it, 1, 1) == "" and it(nil, 1) == nil and it(nil, 0) == 1)
assert(tostring(f) == tostring(m.add) and tostring(f):find "^function: ")
collectgarbage()
assert(m.same() == f and coroutine.wrap(m.count)() == m.count())
local ok, e = pcall(m.add)
assert(e == "bad argument #1 to 'onethread.add' (number expected, got no value)", e)

local all, wg = {}, sync.waitgroup()
for i = 1, 8 do wg:go(function() for k = 1, 50 do all[i] = (m.same()) end end) end
wg:wait()
for i = 1, 8 do assert(all[i] == f) end
wg:go(m.add, 1)
wg:wait()

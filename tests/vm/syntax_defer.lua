-- defer: at the end of the function, last in first out, mixed with <close>, on return, error, break and goto.
-- Protects: OP_DEFER, vm/tbc.c, stdlib/golib.c.
local log = {}
local function say(...) log[#log + 1] = table.concat({...}, ",") end
local function logged() local s = table.concat(log, " "); log = {}; return s end
local function C(n) return setmetatable({}, {__close = function() say("close" .. n) end}) end

local function f()
  defer say("a")
  defer say("b", 1)
  say("body")
  return "r"
end
assert(f() == "r" and logged() == "body b,1 a")
-- function, not block
local function g()
  for i = 1, 3 do defer say(i) end
  do defer say("block") end
  if true then defer say("if") end
  say("end")
end
g()
assert(logged() == "end if block 3 2 1")
-- arguments at once; the function too; variables later
local function h()
  local x, fn = 1, say
  defer say("x", x)
  defer fn("fn")
  defer function() say("late", x) end()
  x, fn = 2, nil
end
h()
assert(logged() == "late,2 fn x,1")
-- methods: receiver evaluated at once
local obj = {n = "o"}
function obj:m(v) say(self.n .. v) end
local function m() local o = obj; defer o:m("!"); o = {n = "other", m = function() say("wrong") end} end
m()
assert(logged() == "o!")
-- one stack with <close>
local function mix()
  local a <close> = C(1)
  defer say("d1")
  do
    local b <close> = C(2)
    defer say("d2")
  end
  local c <close> = C(3)
  say("end")
end
mix()
local s = logged()
assert(s == "close2 end close3 d2 d1 close1", s)
-- error: all run, the error goes on; an error in one replaces it
local function e()
  defer say("last")
  defer function() error("second", 0) end()
  defer say("first")
  error("first", 0)
end
local ok, err = pcall(e)
assert(not ok and err == "second" and logged() == "first last")
-- exactly the given arguments, no error object
local nargs
assert(load [[local log = ...; local function f() defer log() error("x") end pcall(f)]])(function(...) nargs = select("#", ...) end)
assert(nargs == 0)
-- results are fixed before
local function res() local r = 1; defer function() r = 2 end(); return r, 5 end
local r1, r2 = res()
assert(r1 == 1 and r2 == 5)
-- no tail call where something is deferred
local function callee() say("callee"); return 7 end
local function tail() defer say("deferred"); return callee() end
assert(tail() == 7 and logged() == "callee deferred")
-- in the main chunk, in coroutines, with yields inside
local co = coroutine.wrap(function()
  defer function() coroutine.yield("in defer"); say("after yield") end()
  coroutine.yield("body")
  return "done"
end)
assert(co() == "body" and co() == "in defer" and co() == "done" and logged() == "after yield")
co = coroutine.create(function() defer say("closed"); coroutine.yield() end)
coroutine.resume(co)
assert(coroutine.close(co) and logged() == "closed")
-- vararg functions, many, nested functions
local function va(...) defer say(...); return select("#", ...) end
assert(va(1, 2, 3) == 3 and logged() == "1,2,3")
local n = 0
local function many() for i = 1, 1000 do defer function() n = n + 1 end() end assert(n == 0) end
many()
assert(n == 1000)
-- not callable: an error of the defer statement, which names it
local ok, e = pcall(function() local x; defer say("before"); defer x(); say("not reached") end)
assert(not ok and e:find "attempt to call a nil value %(local 'x'%)" and logged() == "before")
ok, e = pcall(function() local t = {}; defer t:close() end)
assert(not ok and e:find "attempt to call a nil value %(method 'close'%)")
do
  local arg
  local callable = setmetatable({}, {__call = function(_, a) arg = a end})
  local function f() defer callable(4) end
  f()
  assert(arg == 4)
end
-- function form ends with its block
do
  local d <close> = defer(say, "block", "end")
  say("in")
end
assert(logged() == "in block,end")
assert(not pcall(defer) and not pcall(defer, 1))
do local d1 <close> = defer(say, 1) local d2 <close> = defer(say, 2) end
assert(logged() == "2 1")
-- goexit runs deferred calls
local done = chan()
go(function() defer function() done <- "exit" end(); runtime.goexit() end)
assert(<-done == "exit")
-- a deferred call may block
local function blocking() local c = chan(); defer function() say(<-c) end(); go function() c <- "sent" end() end
blocking()
assert(logged() == "sent")
-- recursion: each call its own
local function rec(k) defer say(k); if k > 0 then rec(k - 1) end end
rec(3)
assert(logged() == "0 1 2 3")

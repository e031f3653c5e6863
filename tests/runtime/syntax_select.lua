-- select statement: scoping, evaluation order, break, goto, return, nesting, case as a name inside.
-- Protects: vm/parse.c, OP_SELECT, runtime/select.c.
local function ready(v) local c = chan(1); c <- v; return c end
local nothing = chan()
-- channel and value expressions once, in order, before the choice
local order = {}
local function ev(name, v) order[#order + 1] = name; return v end
local sendto = chan(1)
select
case <-ev("a", nothing) then error "a"
case ev("b", sendto) <- ev("v", 1) then order[#order + 1] = "sent"
case x = <-ev("c", nothing) then error "c"
end
assert(table.concat(order, " ") == "a b v c sent" and <-sendto == 1)
-- a nil or wrongly typed value is an error whatever is ready
local full = chan("string", 1)
assert(not pcall(function() select case <-ready(1) then case full <- nil then else end end))
local ok, e = pcall(function() select case <-ready(1) then case full <- 5 then else end end)
assert(not ok and e:find("string", 1, true) and e:find("integer", 1, true) or e:find("number", 1, true), e)
-- not a channel
assert(not pcall(function() local x = 5; select case <-x then end end))
assert(not pcall(function() local x = {}; select case x <- 1 then else end end))
-- locals of the case belong to its block
local v = "outer"
select case v = <-ready("inner") then assert(v == "inner"); v = "changed" end
assert(v == "outer")
select case v, ok2 = <-ready(false) then assert(v == false and ok2 == true) end
assert(ok2 == nil)
-- closures over them
local get
select case w = <-ready(7) then get = function() w = w + 1; return w end end
assert(get() == 8 and get() == 9)
-- break leaves the loop, goto leaves the select, return returns
local n = 0
while true do
  n = n + 1
  select
  case <-ready(1) then if n == 3 then break end
  end
end
assert(n == 3)
for i = 1, 3 do
  select
  case x = <-ready(i) then if x == 2 then goto continue end
  end
  n = n + 1
  ::continue::
end
assert(n == 5)
local function ret(c) select case a, b = <-c then return a, b, "got" else return "none" end end
assert(ret(nothing) == "none" and select(3, ret(ready(1))) == "got")
-- nested selects; case as a name in statements within
local r = {}
select
case a = <-ready("A") then
  select
  case b = <-ready("B") then r[1] = a .. b
  else r[1] = "no"
  end
  local case = "name"
  do case = case .. "!" end
  r[2] = case
  if true then case = 1 end
else error "else"
end
assert(r[1] == "AB" and r[2] == "name!")
-- nil channels are never ready
local none
select case <-none then error "nil" case none <- 1 then error "nil" else r[3] = "default" end
assert(r[3] == "default")
-- <close> and defer within
local log = {}
local function cl()
  select
  case a = <-ready(1) then
    local c <close> = setmetatable({}, {__close = function() log[#log + 1] = "closed" end})
    defer table.insert(log, "deferred")
    log[#log + 1] = "body"
  end
  log[#log + 1] = "after"
end
cl()
assert(table.concat(log, " ") == "body closed after deferred")
-- an error in a case; select in coroutines; many cases
assert(select(2, pcall(function() select case <-ready(1) then error("E", 0) end end)) == "E")
assert(coroutine.wrap(function() select case x = <-ready(5) then coroutine.yield(x) end end)() == 5)
local src, chans = {"local c = ... select "}, {}
for i = 1, 100 do src[#src + 1] = "case v = <-c[" .. i .. "] then return " .. i .. ", v "; chans[i] = chan(1) end
src[#src + 1] = "end"
local many = load(table.concat(src))
for _, i in ipairs {1, 50, 100} do
  chans[i] <- "v" .. i
  local k, val = many(chans)
  assert(k == i and val == "v" .. i)
end
-- blocks until ready
local later = chan()
go function() later <- "later" end()
select case x = <-later then assert(x == "later") case <-nothing then error "nothing" end
-- function form: the same operations
local i, val, okf = select {{recv = ready("f")}, {send = nothing, value = 1}}
assert(i == 1 and val == "f" and okf == true and select {default = true} == 0 and select {default = function() return "d" end} == "d")
assert(select("#", 1, 2) == 2 and select(2, "a", "b") == "b" and select(-1, "a", "b") == "b")

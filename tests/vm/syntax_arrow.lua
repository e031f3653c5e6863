-- `<-` between expressions stays less-than-minus; as a prefix it binds tighter than every operator.
-- Protects: vm/parse.c (at_arrow, receive, receive_statement).
local a, b, c = 1, 2, -5
assert((a<-b) == false and (c<-b) == true and (c< -b) == true and (c<- b) == true and (c <-b) == true)
local x = a<-b
assert(x == false)
local t = {a<-b, [a<-b] = 1, y = c<-b}
assert(t[1] == false and t[false] == 1 and t.y == true)
if c<-b then x = "lt" end
assert(x == "lt")
while c<-b do c = c + 1 end
assert(c == -2)
local function f(...) return ... end
assert(f(a<-b) == false and f(-9<-b) == true)
local y = a
<-b
assert(y == false) -- plain Lua reads on
local z = a <
-b
assert(z == false)
return_value = (function() return a<-b end)()
assert(return_value == false)
return_value = nil

local ch = chan(20)
local o = {ch = ch, list = {ch}, deep = {er = {ch = ch}}}
function o:get() return self.ch end
local function getch() return ch end
local function fill(...) for _, v in ipairs {...} do ch <- v end end
fill(1, 2, 3, 4, 5, 6, 7)
assert(<-ch + 1 == 2)
assert(<-o.ch * 10 == 20)
assert(<-o.list[1] == 3)
assert(<-o:get() ^ 2 == 16.0)
assert((<-getch())^2 == 25.0)
assert(-<-ch == -6)
assert(not <-ch == false)
fill(1, 2, 3, 4, 5, "s", 7, 8)
assert(<-(ch) == 1 and <-o.deep.er.ch == 2)
assert(1 + <-ch == 4 and 10 - <-ch * 2 == 2)
assert(#{<-ch} == 1)
assert("x" .. <-ch .. "y" == "xsy")
assert(f(<-ch) == 7 and (<-ch or 9) == 8)
-- comparisons with a receive on the right
fill(5, 6)
assert(4 < <-ch)
while #ch > 0 do <-ch end
fill(1, 2)
local s = 8<<(<-ch)
assert(s == 16)
assert(1 < <-ch)
-- double receive
local outer = chan(1)
fill("inner")
outer <- ch
assert(<-<-outer == "inner")
-- one value in an expression list, two for exactly two targets
fill(1, 2, 3, 4, 5, 6, 7)
local v, ok = <-ch
assert(v == 1 and ok == true)
v, ok = <-ch
assert(v == 2 and ok == true)
local only = <-ch
assert(only == 3)
local p, q, r = <-ch
assert(p == 4 and q == nil and r == nil)
p, q = (<-ch)
assert(p == 5 and q == nil)
p, q = <-ch, <-ch
assert(p == 6 and q == 7)
fill("a", "b")
t = {<-ch, <-ch}
assert(#t == 2 and t[2] == "b")
assert(select("#", (function() fill(1) return <-ch end)()) == 1)
local tt = {}
fill("field")
tt.v, tt.ok = <-ch
assert(tt.v == "field" and tt.ok == true)
ch:close()
v, ok = <-ch
assert(v == nil and ok == false)
assert(<-ch == nil)
-- receive statements, sends of every expression
ch = chan(20)
o.ch, o.list[1] = ch, ch
fill(1, 2, 3, 4)
<-ch
<-getch();
<-o.ch
assert(#ch == 1)
<-ch
ch <- 1 + 2
ch <- "a" .. "b"
ch <- {1, 2}
ch <- function() return 7 end
ch <- 1 < 2
ch <- -5
ch <- (-5)
ch<-6
ch <-7
ch<- 8
o.ch <- "field"
o.list[1] <- "index"
o:get() <- "method"
getch() <- "call"
(getch()) <- "paren"
assert(<-ch == 3 and <-ch == "ab" and #(<-ch) == 2 and (<-ch)() == 7 and <-ch == true)
assert(<-ch == -5 and <-ch == -5 and <-ch == 6 and <-ch == 7 and <-ch == 8)
assert(<-ch == "field" and <-ch == "index" and <-ch == "method" and <-ch == "call" and <-ch == "paren")
-- a send of a received value; statements on the following line begin a receive
local ch2 = chan(5)
fill("move")
ch2 <- <-ch
assert(<-ch2 == "move")
fill(1, 2, 3)
ch2 <- 9
<-ch
local got = <-ch
<-ch
assert(got == 2 and #ch == 0 and #ch2 == 1)
do
  local undefined
  <-ch2
  assert(#ch2 == 0)
end
f()
<-(function() fill(1) return ch end)()

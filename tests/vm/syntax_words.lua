-- go, defer, select, case are ordinary names wherever plain Lua accepts them; the forms never look the names up.
-- Protects: vm/parse.c (contextual_statement).
local function f(...) return ... end
do
  local go, defer, select, case = 1, 2, 3, 4
  assert(go + defer + select + case == 10)
  go = go + 1
  go, defer = defer, go
  assert(go == 2 and defer == 2)
  select, case = case, select
  assert(select == 4 and case == 3)
  case = 5
  assert(-go == -2 and not not case)
end
do -- as functions: every kind of call and index
  local log = {}
  local function rec(name) return function(...) log[#log + 1] = name .. _ENV.select("#", ...); return f end end
  local go, defer, select, case = rec "go", rec "defer", rec "select", rec "case"
  go (f)(1)
  go(f, 1)
  go "s"
  go {1}
  go [[x]]
  defer(f)
  defer {f}
  defer "x" (2)
  select(1)
  select {}
  select "#"
  case(1)
  case "x"
  case {}
  assert(table.concat(log, " ") == "go1 go2 go1 go1 go1 defer1 defer1 defer1 select1 select1 select1 case1 case1 case1")
  go
  (1, 2) -- a call over two lines
  assert(log[#log] == "go2")
end
do -- as tables
  local go, defer, select, case = {}, {}, {}, {}
  go.x, defer.x, select.x, case.x = 1, 2, 3, 4
  go["y"] = 5
  select["y"] = 6
  function go.z() return 7 end
  function select:z() return self.x end
  function defer.a() end
  go.z()
  select:z()
  assert(go.x + select.x + go.y + go.z() + select:z() == 1 + 3 + 5 + 7 + 3 and case.x == 4)
  go = nil
  select = nil
  assert(go == nil and select == nil)
end
do -- fields, parameters, labels, loop variables, methods
  local t = {go = 1, defer = 2, select = 3, case = 4}
  function t:go_() return self.go end
  function t.case() return "c" end
  assert(t.go + t.defer + t.select == 6 and t.case() == "c" and t:go_() == 1)
  local function p(go, defer, select, case) return go, defer, select, case end
  assert((p(9)) == 9)
  for go = 1, 2 do assert(go < 3) end
  for select, case in pairs {a = 1} do assert(select == "a" and case == 1) end
  goto go
  ::go::
  goto select
  do end
  ::select::
  do ::case:: end
end
local function go2() return 1 end
assert(go2() == 1)
-- words at the ends of statements
local go = 5
local x = go
local y = x
assert(y == 5)
local z = select
local w = case
assert(z and w == nil)
-- a name at the end of an expression, the word begins the next statement
local a = x go = 6
assert(a == 5 and go == 6)
do return (function() local case = 3 return case end)() == 3 and (function() local select = 4 return select end)() == 4 or error "return" end

-- go statements: every form of call; function and arguments are evaluated by the caller.
-- Protects: OP_GO, rt_go.
local out = chan(100)
local function emit(...) out <- table.concat({...}, ",") end
local function take(n) local t = {}; for i = 1, n do t[i] = <-out end table.sort(t); return table.concat(t, " ") end
local o = {name = "o", f = {g = emit}, list = {emit}}
function o:m(x) emit(self.name, x) end
go emit("call", 1)
go emit "string"
go o.f.g("field")
go o.list[1]("index")
go o:m("method")
go function() emit("anonymous") end()
go function(a, ...) emit("anon", a, select("#", ...)) end(1, 2, 3)
assert(take(7) == "anon,1,2 anonymous call,1 field index o,method string")
go (emit) -- a plain call of `go`
assert(<-out == "")
-- evaluation happens in the caller, in order, at once
local order = {}
local function ev(x) order[#order + 1] = x; return x end
local function get() ev("f"); return emit end
go get()(ev("a"), ev("b"))
order[#order + 1] = "after"
assert(table.concat(order, " ") == "f a b after" and <-out == "a,b")
local x = "old"
go emit(x)
x = "new"
assert(<-out == "old")
-- the names are not looked up
do
  local go, defer, select = 1, 2, 3
  go emit("local go")
  assert(<-out == "local go" and go == 1)
  select
  case v = <-out then error(v)
  else out <- "select form"
  end
  assert(<-out == "select form" and select == 3)
end
-- loop variables are fresh
for i = 1, 5 do go function() emit(i) end() end
assert(take(5) == "1 2 3 4 5")
-- not callable: an error of the caller
local ok, e = pcall(function() local nothing; go nothing() end)
assert(not ok and e:find("attempt to call a nil value", 1, true), e)
ok, e = pcall(function() local t = {}; go t.x.y() end)
assert(not ok and e:find("attempt to index a nil value (field 'x')", 1, true), e)
ok, e = pcall(go)
assert(not ok)
ok, e = pcall(go, 42)
assert(not ok and e:find("function expected, got number", 1, true), e)
-- a callable table
go(setmetatable({}, {__call = function(self, v) emit("callable", v) end}), 5)
assert(<-out == "callable,5")
local callable = setmetatable({}, {__call = function(self, v) emit("callable", v) end})
go callable(6)
assert(<-out == "callable,6")
-- inside coroutines, pcall, closures, nested
coroutine.wrap(function() go emit("from coroutine") end)()
assert(<-out == "from coroutine")
go function() go function() go emit("nested") end() end()
assert(<-out == "nested")
-- many arguments
local args = {}
for i = 1, 200 do args[i] = i end
go function(...) emit(select("#", ...), (select(200, ...))) end(table.unpack(args))
assert(<-out == "200,200")

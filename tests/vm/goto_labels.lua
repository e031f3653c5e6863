-- goto, labels, continue idiom, break; and the errors of the resolver.
-- Protects: vm/resolve.c.
local out = {}
for i = 1, 5 do
  if i % 2 == 0 then goto continue end
  out[#out + 1] = i
  ::continue::
end
assert(table.concat(out) == "135")
do
  local i = 1
  ::top::
  if i <= 3 then i = i + 1; goto top end
  assert(i == 4)
end
for i = 1, 3 do for j = 1, 3 do if j == 2 then goto out end end end
::out::
do goto l1 end
::l1::
do -- nested blocks may reuse names
  do ::x:: end
  do ::x:: end
end
local function f(n)
  while true do
    if n > 10 then break end
    n = n + 1
    repeat
      if n == 5 then goto done end
    until true
  end
  do return n end
  ::done::
  return "five"
end
assert(f(1) == "five" and f(7) == 11)
do -- a label at the end of a block lets go jump over locals
  goto last
  local x
  ::last::
end
do
  local k = 0
  ::a:: k = k + 1
  if k < 5 then goto a end
  assert(k == 5)
end
local function bad(src, msg)
  local fn, err = load(src, "=x")
  assert(not fn and err == msg, err)
end
bad("goto nowhere", "x:1: no visible label 'nowhere' for <goto> at line 1")
bad("do ::l:: end goto l", "x:1: no visible label 'l' for <goto> at line 1")
bad("::l:: ::l::", "x:1: label 'l' already defined on line 1")
bad("goto l; local a ::l:: print(a)", "x:1: <goto l> at line 1 jumps into the scope of local 'a'")
bad("break", "x:1: break outside loop at line 1")
bad("repeat if x then goto c end local y ::c:: until y", "x:1: <goto c> at line 1 jumps into the scope of local 'y'")
bad("function f() goto l end ::l::", "x:1: no visible label 'l' for <goto> at line 1")
-- closures and goto: variables in the loop body are fresh, those outside are not
do
  local fs, i = {}, 1
  ::loop::
  do
    local z = i
    fs[i] = function() z = z + 1; return z, i end
  end
  i = i + 1
  if i <= 2 then goto loop end
  assert(select(2, fs[1]()) == 3 and fs[1]() == 3 and fs[2]() == 3)
end
-- goto leaves to-be-closed variables
do
  local log = {}
  for i = 1, 2 do
    local c <close> = setmetatable({}, {__close = function() log[#log + 1] = i end})
    if i == 1 then goto cont end
    log[#log + 1] = "body"
    ::cont::
  end
  assert(table.concat(log, ",") == "1,body,2")
end

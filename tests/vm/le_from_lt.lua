-- a <= b without __le is not (b < a), if there is a __lt; also through the C interface, a yield and an error.
-- Protects: vm/interp_slow.c, op_lesseq.
local mt = {__lt = function(a, b) return a.v < b.v end}
local function n(v) return setmetatable({v = v}, mt) end
assert(n(1) <= n(2) and n(2) <= n(2) and not (n(3) <= n(2)))
assert(n(2) >= n(1) and n(2) >= n(2) and not (n(1) >= n(2)))
local r = n(1) <= n(2)
assert(r == true)
r = n(2) <= n(1)
assert(r == false)
assert(not pcall(function() return {} <= {} end))
mt.__lt = function(a, b) coroutine.yield() return (type(a) == "table" and a.v or a) < (type(b) == "table" and b.v or b) end
local co = coroutine.wrap(function()
  if n(1) <= 5 then coroutine.yield("yes") end
  if n(6) <= 5 then coroutine.yield("no") end
  while not (7 <= n(6)) do return "end" end
end)
assert(co() == nil and co() == "yes" and co() == nil and co() == nil and co() == "end")
mt.__lt = function(a, b) error("in lt") end
for _ = 1, 3 do
  local ok, e = pcall(function() return n(1) <= n(2) end)
  assert(not ok and e:find("in lt"))
end
mt.__lt = function() return true end
mt.__le = function(a, b) return "le" end
assert(n(1) <= n(2))
mt.__le = nil
assert(not (n(1) <= n(2)))

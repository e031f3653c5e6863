-- Debian: lua-unit. Assertions and a suite with a failure, in its text output.
local lu = require "luaunit"
return { version = lu.VERSION, use = function(id)
  lu.assertEquals({ 1, { x = 2 } }, { 1, { x = 2 } })
  lu.assertErrorMsgContains("oops", function() error "oops" end)
  lu.assertAlmostEquals(0.1 + 0.2, 0.3, 1e-12)
  local ok, e = pcall(lu.assertEquals, { 1, 2 }, { 1, 3 })
  assert(not ok)
  lu.assertItemsEquals({ 3, 1, 2 }, { 1, 2, 3 })
  return lu.prettystr { 1, "two", { three = 3 } } .. " " .. tostring(type(e) == "table" and e.msg or e):gsub("0x%x+", "")
end }

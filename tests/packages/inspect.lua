-- Debian: lua-inspect. Nested tables, cycles, metatables.
local inspect = require "inspect"
return { version = inspect._VERSION, use = function(id)
  local t = { 1, 2, { a = "x", ["b c"] = { true } }, f = "it's" }
  t.self = t
  return inspect(setmetatable(t, { __name = "T" })) .. inspect({ 1, { 2, { 3 } } }, { depth = 2 })
end }

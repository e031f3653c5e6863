-- Debian: lua-yaml. Documents loaded and dumped, anchors, errors.
local lyaml = require "lyaml"
return { version = tostring(lyaml._VERSION or lyaml.version or "?"), use = function(id)
  local t = lyaml.load [[
name: lungo
list: [1, 2.5, true, ~, "text"]
base: &b {x: 1, y: 2}
copy: *b
block: |
  two
  lines
]]
  assert(t.list[2] == 2.5 and t.copy.y == 2 and t.block == "two\nlines\n" and t.list[3] == true)
  local back = lyaml.load(lyaml.dump { t })
  assert(back.copy.x == 1)
  local ok, e = pcall(lyaml.load, "a: [1, 2")
  assert(not ok)
  return back.name .. " " .. tostring(e):gsub("\n", " ")
end }

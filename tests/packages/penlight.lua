-- Debian: lua-penlight. Lists, maps, strings, templates, classes, data, pretty printing, a lexer, dates.
local List, tablex, stringx, pretty = require "pl.List", require "pl.tablex", require "pl.stringx", require "pl.pretty"
local class, template, data, seq = require "pl.class", require "pl.template", require "pl.data", require "pl.seq"
local OrderedMap, Set, lexer, path = require "pl.OrderedMap", require "pl.Set", require "pl.lexer", require "pl.path"
local utils, func, sip = require "pl.utils", require "pl.func", require "pl.sip"
local Animal = class()
function Animal:_init(name) self.name = name end
function Animal:__tostring() return self.name .. ": " .. self:speak() end
local Cat = class(Animal)
function Cat:speak() return "meow" end
return { version = utils._VERSION, use = function(id)
  local out = {}
  local function put(...) for _, v in ipairs { ... } do out[#out + 1] = tostring(v) end end
  put(List { 3, 1, 2 }:sort():map "_ * 10":concat "-", List.range(1, 10):filter(function(x) return x % 3 == 0 end))
  put(tablex.deepcompare({ 1, { 2 } }, { 1, { 2 } }), #tablex.keys { a = 1, b = 2 })
  put(table.concat(stringx.split("a,b,,c", ","), "|"), stringx.center("x", 5, "*"), stringx.title "hello world")
  put(pretty.write({ 1, { a = "x" } }, ""), Cat "Tom")
  put(template.substitute("# for i = 1, 3 do\n$(i) \n# end", {}))
  put(data.read(stringx.lines "a b\n1 2\n3 4" and require "pl.stringio".open "a b\n1 2\n3 4\n"):column_by_name "b"[2])
  local m = OrderedMap()
  m:set("z", 1)
  m:set("a", 2)
  put(m, Set { 1, 2 } * Set { 2, 3 }, seq.sum(seq.range(1, 10)))
  for t, v in lexer.lua "local x = 10 -- end" do put(t .. ":" .. v) end
  put(path.normpath "/a/./b/../c", path.extension "file.lua", func.I(func._1 + 1)(4))
  local res = {}
  put(sip.match("$v{name} = $d{num}", "count = 42", res), res.name, res.num)
  return table.concat(out, " ")
end }

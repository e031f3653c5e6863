-- Debian: lua-expat. A parser with callbacks in Lua, errors in callbacks and in the document.
local lxp = require "lxp"
return { version = lxp._VERSION, use = function(id)
  local out, depth = {}, 0
  local p = lxp.new {
    StartElement = function(_, name, attrs)
      depth = depth + 1
      out[#out + 1] = name .. (attrs.id and "#" .. attrs.id or "")
      if runtime then runtime.gosched() end
    end,
    EndElement = function(_, name) depth = depth - 1 end,
    CharacterData = function(_, s) if s:find "%S" then out[#out + 1] = s end end,
  }
  for i = 1, 10 do assert(p:parse(i == 1 and "<list>" or ('<item id="%d">t%d</item>'):format(i, i))) end
  assert(p:parse "</list>" and p:parse())
  p:close()
  assert(depth == 0)
  local bad = lxp.new {}
  local ok, msg, line = bad:parse "<a>\n<b></a>"
  assert(not ok)
  local raising = lxp.new { StartElement = function() error("from the callback", 0) end }
  local ok2, e = pcall(raising.parse, raising, "<x/>")
  return table.concat(out, " ") .. " | " .. msg .. " at " .. line .. " | " .. tostring(ok2) .. " " .. tostring(e)
end }

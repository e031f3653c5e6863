-- Debian: lua-dkjson. Encoding with order, decoding, errors; with and without lpeg.
local json = require "dkjson"
return { version = json.version, use = function(id)
  local s = json.encode({ b = 1, a = { true, json.null, "\u{e9}\n" }, c = 1.5 }, { keyorder = { "c", "a", "b" }, indent = true })
  local t = json.decode(s, 1, nil)
  local fast = json.use_lpeg and require "lpeg" and json.decode(s)
  local none, _, e = json.decode "[1, 2"
  return s .. t.a[3] .. #t.a .. " " .. tostring(e)
end }

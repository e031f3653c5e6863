-- Debian: lua-cjson. Encoding and decoding, errors of both, an instance with settings of its own.
local cjson = require "cjson"
return { version = cjson._VERSION, use = function(id)
  local doc = { name = "lungo", list = {}, nested = { { a = 1 }, { b = { true, false, cjson.null } } }, text = 'q"\\\n\t\u{20ac}' }
  for i = 1, 50 do doc.list[i] = i * 1.5 end
  local back = cjson.decode(cjson.encode(doc))
  assert(back.text == doc.text and back.nested[2].b[3] == cjson.null and #back.list == 50)
  local sum = 0
  for _, v in ipairs(back.list) do sum = sum + v end
  local ok, e = pcall(cjson.decode, '{"a": [1, 2,, 3]}')
  local ok2, e2 = pcall(cjson.encode, { f = print })
  assert(not ok and not ok2)
  local own = cjson.new()
  own.encode_sparse_array(true)
  return sum .. " " .. e .. " " .. e2 .. " " .. own.encode { [5] = "x" } .. cjson.encode { 1, "two", { three = 3 } }
end }

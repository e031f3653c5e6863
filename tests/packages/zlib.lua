-- Debian: lua-zlib. Streams in pieces, checksums, a broken stream.
local zlib = require "zlib"
return { version = zlib._VERSION .. " zlib " .. table.concat({ zlib.version() }, "."), use = function(id)
  local text = ("the quick brown fox jumps over the lazy dog "):rep(200)
  local d, packed = zlib.deflate(9), {}
  for i = 1, #text, 1000 do packed[#packed + 1] = d(text:sub(i, i + 999)) end
  packed[#packed + 1] = d("", "finish")
  packed = table.concat(packed)
  local plain, eof, nin, nout = zlib.inflate()(packed)
  assert(plain == text and eof)
  local ok, e = pcall(zlib.inflate(), "no stream at all")
  assert(not ok)
  return #packed .. " " .. nout .. " " .. zlib.crc32()(text) .. " " .. zlib.adler32()(text) .. " " .. tostring(e)
end }

-- Debian: lua-filesystem. A tree of files made, walked and removed; attributes, errors.
local lfs = require "lfs"
return { version = lfs._VERSION, use = function(id)
  local dir = os.tmpname()
  os.remove(dir)
  assert(lfs.mkdir(dir))
  for i = 1, 5 do
    assert(lfs.mkdir(dir .. "/d" .. i))
    local f = assert(io.open(dir .. "/d" .. i .. "/file", "w"))
    f:write(("x"):rep(i))
    f:close()
  end
  local found, size = {}, 0
  for name in lfs.dir(dir) do
    if name:sub(1, 1) ~= "." then
      found[#found + 1] = name
      local a = assert(lfs.attributes(dir .. "/" .. name .. "/file"))
      assert(a.mode == "file")
      size = size + a.size
    end
  end
  table.sort(found)
  local none, e = lfs.attributes(dir .. "/none", "size")
  assert(none == nil)
  assert(lfs.touch(dir .. "/d1/file", 1000, 2000) and lfs.attributes(dir .. "/d1/file", "modification") == 2000)
  assert(not lfs.rmdir(dir))
  for i = 1, 5 do
    os.remove(dir .. "/d" .. i .. "/file")
    assert(lfs.rmdir(dir .. "/d" .. i))
  end
  assert(lfs.rmdir(dir))
  return table.concat(found, ",") .. " " .. size .. " " .. e:gsub("'.*'", "FILE")
end }

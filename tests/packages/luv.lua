-- Debian: lua-luv. Timers and callbacks of the loop, the file system. Callbacks run in the lua_State that required the
-- package: that goroutine alone may use it.
local uv = require "luv"
return { version = uv.version_string(), main = true, use = function(id)
  local out = {}
  local timer = uv.new_timer()
  timer:start(0, 1, function()
    out[#out + 1] = "tick"
    if #out == 3 then timer:stop() timer:close() end
  end)
  uv.run()
  local path = os.tmpname()
  local fd = assert(uv.fs_open(path, "w", 384))
  assert(uv.fs_write(fd, "text", -1) == 4)
  assert(uv.fs_close(fd))
  uv.fs_stat(path, function(err, st) out[#out + 1] = st.size end)
  uv.run()
  os.remove(path)
  local none, e = uv.fs_open(path, "r", 0)
  return table.concat(out, " ") .. " " .. e:match "^%w+"
end }

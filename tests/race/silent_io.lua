-- options: --race
-- The libraries' own state is no variable of the program: output, files, patterns, sorting, errors, closing.
local wg = sync.waitgroup()
local name = os.tmpname()
for i = 1, 8 do
  wg:go(function()
    for _ = 1, 5 do
      io.write("")
      io.stdout:write("")
      local f <close> = assert(io.open(name, "r"))
      f:read("a")
      assert(tostring(f):find("file"))
      pcall(error, {i})
      local ok, err = pcall(function() local x = nil; return x.y end)
      assert(not ok and err:find("index"))
      debug.traceback("x")
      assert(load("return 1"))()
      os.time()
      os.getenv("HOME")
      string.gsub("abc", "%w", {a = "b"})
    end
  end)
end
wg:wait()
os.remove(name)

-- Closing a file that other goroutines read, write, seek in or close: each operation succeeds, or says that the file is closed
-- or that its descriptor is bad; one close wins; nothing crashes.
-- Protects: stdlib/ioclose.c.
local name = os.tmpname()
do
  local f <close> = io.open(name, "w")
  for i = 1, 2000 do f:write("line ", i, "\n") end
end

local function sound(e)
  e = tostring(e)
  assert(e:find "closed file" or e:find "already closed" or e:find "Bad file descriptor" or e:find "file is closed", e)
end

-- Calls f again and again until it fails, soundly, or has nothing more to say.
local function until_closed(f, ...)
  for _ = 1, 3000 do
    local ok, r, e = pcall(f, ...)
    if not ok then sound(r) return end
    if r == nil and e then sound(e) return end
  end
end

local uses = {
  function(f) until_closed(f.read, f, "l") end,
  function(f) until_closed(f.read, f, "n", "L") end,
  function(f) until_closed(f.read, f, 100) f:seek "set" end,
  function(f) until_closed(f.read, f, "a") end,
  function(f) until_closed(f.write, f, "x", 1) end,
  function(f) until_closed(f.write, f, ("y"):rep(5000)) end,
  function(f) until_closed(f.flush, f) end,
  function(f) until_closed(f.seek, f, "set", 5) end,
  function(f) until_closed(f.setvbuf, f, "full", 100) end,
  function(f)
    local ok, it = pcall(f.lines, f)
    if ok then until_closed(it) else sound(it) end
  end,
  function(f) until_closed(tostring, f) until_closed(io.type, f) end,
}

local function round(i)
  local f = io.open(name, "r+")
  local wg, wins, go_on = sync.waitgroup(), atomic.int(), chan()
  for _, use in ipairs {uses[i % #uses + 1], uses[i * 7 % #uses + 1]} do
    wg:go(function()
      go_on:recv()
      local ok, e = pcall(use, f)
      if not ok then sound(e) end
    end)
  end
  for k = 1, 2 do
    wg:go(function()
      go_on:recv()
      for _ = 1, i % 5 do runtime.gosched() end
      local ok, r = pcall(f.close, f)
      if ok then assert(r) wins:add(1) else sound(r) end
    end)
  end
  go_on:close()
  wg:wait()
  assert(wins:load() == 1 and io.type(f) == "closed file")
end
for i = 1, 150 do round(i) end

-- The end of io.lines closes its file: once.
for _ = 1, 20 do
  local wg, it = sync.waitgroup(), io.lines(name)
  for _ = 1, 3 do wg:go(function() until_closed(function() if it() == nil then error "attempt to use a closed file" end end) end) end
  wg:wait()
  local ok, e = pcall(it)
  assert(not ok and e:find "file is already closed")
end

-- A close waits for the read that is under way; it does not fail, and nobody else waits.
local sign = os.tmpname()
os.remove(sign)
local p = io.popen("until [ -e " .. sign .. " ]; do sleep 0.01; done; echo seen")
local said, closed = chan(1), chan(1)
go(function() said:send(p:read "l") end)
while not runtime.stack(true):find "%[syscall" do runtime.gosched() end
go(function() closed:send(p:close()) end)
while io.type(p) == "file" do runtime.gosched() end
assert(#closed == 0 and #said == 0)
io.open(sign, "w"):close()
assert(said:recv() == "seen" and closed:recv() == true)
os.remove(sign)

-- Default files.
io.output(name)
local wg = sync.waitgroup()
for _ = 1, 3 do wg:go(function() until_closed(io.write, "x") end) end
wg:go(function() for _ = 1, 3 do runtime.gosched() end io.close() end)
wg:wait()
io.output(io.stdout)

-- A standard stream stays open whoever closes it.
wg = sync.waitgroup()
for _ = 1, 3 do wg:go(function() for _ = 1, 200 do assert(select(2, io.stderr:close()) == "cannot close standard file" and io.stderr:write()) end end) end
wg:wait()

-- Finalizers and to-be-closed variables; a finalizer called by hand frees nothing that is in use.
for i = 1, 40 do
  local f = io.open(name)
  local meta = getmetatable(f)
  wg = sync.waitgroup()
  for _ = 1, 2 do wg:go(function() local ok, e = pcall(uses[i % 4 + 1], f) if not ok then sound(e) end end) end
  wg:go(function() meta.__gc(f) meta.__gc(f) collectgarbage() meta.__gc(f) end)
  wg:go(function() local _ <close> = f end)
  wg:wait()
end
for _ = 1, 3 do collectgarbage() end

-- Handed out by the finalizer of something else that died with it.
local back = chan(4)
do
  local f = io.open(name)
  setmetatable({f}, {__gc = function(t) back:send(t[1]) t[1]:close() end})
end
collectgarbage()
local f = back:recv()
for _ = 1, 3 do collectgarbage() end
assert(io.type(f) == "closed file" and not pcall(f.read, f))
os.remove(name)
print "ok" -- expect: ok

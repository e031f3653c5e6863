-- One print or io.write is one write: lines of parallel goroutines never mix; readers in the system stall nobody.
-- Protects: stdlib/iolib.c, b_print, rt_block_enter.
local name = os.tmpname()
local f = io.open(name, "w")
local wg = sync.waitgroup()
local N, M = 8, 200
for g = 1, N do
  wg:go(function()
    local ch = string.char(96 + g)
    for i = 1, M do
      if i % 2 == 0 then f:write(ch:rep(20), "|", ch:rep(20), "\n") else f:write(ch:rep(20) .. "|", ch:rep(20), "\n") end
    end
  end)
end
wg:wait()
f:close()
local n = 0
for l in io.lines(name) do
  n = n + 1
  local ch = l:sub(1, 1)
  assert(l == ch:rep(20) .. "|" .. ch:rep(20), l)
end
assert(n == N * M)
-- print to a child's output: through a pipe to this same command is tests/cli/print_atomic.sh
-- a goroutine blocked in a read does not stop the others, even on one processor
local sign = os.tmpname()
os.remove(sign)
local p = io.popen("until [ -e " .. sign .. " ]; do sleep 0.01; done; echo done")
local got
local ch = chan()
go(function() got = p:read("l"); ch:close() end)
while not runtime.stack(true):find "%[syscall" do runtime.gosched() end
for _ = 1, 10000 do if _ % 100 == 0 then runtime.gosched() end end
assert(got == nil)
io.open(sign, "w"):close()
for _ in ch do end
os.remove(sign)
assert(got == "done")
p:close()
-- many goroutines each with a child
wg = sync.waitgroup()
local total = atomic.int(0)
for i = 1, 10 do
  wg:go(function()
    local q = io.popen("echo " .. i)
    total:add(tonumber(q:read("l")))
    q:close()
  end)
end
wg:wait()
assert(total:load() == 55)
-- os.execute side by side: 5 sleeps of 0.2 s take less than 0.9 s
local t0 = time.monotonic()
wg = sync.waitgroup()
for _ = 1, 5 do wg:go(function() os.execute("sleep 0.2") end) end
wg:wait()
assert(time.monotonic() - t0 < 0.9)
-- readers of one file
f = io.open(name)
local lines = atomic.int(0)
wg = sync.waitgroup()
for _ = 1, 4 do wg:go(function() for l in f:lines() do assert(#l == 41); lines:add(1) end end) end
wg:wait()
assert(lines:load() == N * M)
f:close()
os.remove(name)

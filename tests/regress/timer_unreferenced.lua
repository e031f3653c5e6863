-- A timer that nobody refers to any more is collected, though it is armed (vm/gc.c did not tell the runtime).
local function count() collectgarbage() collectgarbage() return collectgarbage("count") end
local before = count()
for _ = 1, 20000 do time.timer(3600) end
local after = count()
print(after - before < 500) -- expect: true
local fired = time.after(0.05)
collectgarbage()
collectgarbage()
print((<-fired) ~= nil) -- expect: true

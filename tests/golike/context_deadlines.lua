-- Deadlines: the earlier one holds, whichever was set later; a cancelled timeout is no timeout; ends come in order of time;
-- a context that was cancelled or let go leaves no timer, no goroutine and no memory.
-- Protects: runtime/context.c, runtime/timer.c.
local root = context.background()
local function wait(c, d)
  return (select {{recv = c:done(), function() return c:err() end}, {recv = time.after(d), function() return "still alive" end}})
end
local slow = context.withtimeout(root, 3600)
local quick = context.withtimeout(slow, 0.005)
local later = context.withtimeout(quick, 3600)
assert(later:deadline() == quick:deadline() and quick:deadline() < slow:deadline())
print(wait(later, 20), later:err(), slow:err())      -- expect: context deadline exceeded	context deadline exceeded	nil
local c, cancel = context.withtimeout(root, 0.005)
cancel()
time.sleep(0.01)
print(c:err())                                       -- expect: context canceled
for _, d in ipairs {0, -1, -math.huge} do assert((context.withtimeout(root, d)):err() == "context deadline exceeded") end
assert((context.withdeadline(root, time.now() - 5)):err() == "context deadline exceeded")
assert((context.withtimeout(root, math.huge)):err() == nil)
print(pcall(context.withtimeout, root, 0 / 0) == false) -- expect: true
-- On a busy machine neighbours may end at once; then again, further apart.
local function ordered(gap)
  local ends = chan(10)
  for i = 10, 1, -1 do
    local t = context.withtimeout(root, i * gap)
    go(function() t:done():recv() ends:send(i) end)
  end
  for i = 1, 10 do if <-ends ~= i then return false end end
  return true
end
print(ordered(0.002) or ordered(0.01) or ordered(0.05) or ordered(0.2)) -- expect: true
local N = os.getenv "LUNGODEBUG" and 100 or 5000
local function round()
  local p, stop = context.withcancel(root)
  for i = 1, N do
    local t, stop_t = context.withtimeout(p, 3600)
    if i % 2 == 0 then stop_t() end
  end
  stop()
end
round()
collectgarbage() collectgarbage()
local before, goroutines = collectgarbage "count", runtime.numgoroutine()
for _ = 1, 4 do round() end
collectgarbage() collectgarbage()
print(collectgarbage "count" - before < 100, runtime.numgoroutine() - goroutines) -- expect: true	0

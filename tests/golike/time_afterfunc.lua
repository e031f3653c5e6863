-- afterfunc: a function may arm the next one; functions due at different times start in the order of their times; one that
-- was stopped in time never runs; one whose maker is gone does.
-- Protects: runtime/timer.c, stdlib/timelib.c.
local done, n = chan(), 10
local function step()
  n = n - 1
  if n >= 0 then time.afterfunc(0, step) else done:send "chain" end
end
time.afterfunc(0, step)
print(<-done)                            -- expect: chain
-- On a busy machine neighbours may become due at once; then again, further apart.
local function ordered(gap)
  local order, wg = chan(20), sync.waitgroup()
  wg:add(20)
  for _, i in ipairs {7, 3, 15, 1, 12, 18, 5, 20, 9, 11, 2, 14, 6, 17, 4, 19, 8, 13, 10, 16} do
    time.afterfunc(i * gap, function() order:send(i) wg:done() end)
  end
  wg:wait()
  for i = 1, 20 do if <-order ~= i then return false end end
  return true
end
print(ordered(0.002) or ordered(0.01) or ordered(0.05) or ordered(0.1)) -- expect: true
local ran = atomic.int()
local stopped = 0
for i = 1, 500 do
  local t = time.afterfunc(i % 5 * 0.0002, function() ran:add(1) end)
  if i % 3 == 0 then runtime.gosched() end
  if t:stop() then stopped = stopped + 1 end
end
time.sleep(0.02)
for _ = 1, 200 do if ran:load() + stopped == 500 then break end time.sleep(0.01) end
print(ran:load() + stopped)              -- expect: 500
go(function()
  local text = "kept"
  time.afterfunc(0.003, function() done:send(text) end)
  defer time.afterfunc(0.006, function() done:send(text .. " too") end)
  runtime.goexit()
end)
runtime.gosched()
collectgarbage()
local got = { <-done, <-done } -- on a busy machine both fire at once, each in a goroutine of its own
table.sort(got)
print(got[1], got[2])                    -- expect: kept	kept too
for _ = 1, 3 do -- collections while timers fire
  go(function() for _ = 1, 100 do time.afterfunc(0.0001, function() ran:add(1) end) end collectgarbage() end)
end
for _ = 1, 300 do if ran:load() + stopped == 800 then break end time.sleep(0.01) end
print(ran:load() + stopped)              -- expect: 800

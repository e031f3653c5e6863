-- after, timer, ticker, tick, afterfunc: they fire, they stop, and leave nothing stale behind.
-- Protects: stdlib/timelib.c, runtime/timer.c.
print(type(<-time.after(0.001)))                 -- expect: number
local t = time.timer(0.001)
time.sleep(0.02)
print(t:stop(), t.c:tryrecv())                   -- expect: true	nil	false	false
print(t:stop())                                  -- expect: false
print(t:reset(0.001), type((<-t.c)))             -- expect: false	number
t:reset(100)
print(t:reset(0.001), type((<-t.c)))             -- expect: true	number
local k, n = time.ticker(0.002), 0
for _ in k.c do n = n + 1 if n == 5 then break end end
k:stop()
time.sleep(0.01)
print(n, k.c:tryrecv())                          -- expect: 5	nil	false	false
k:reset(0.001)
print(type((<-k.c)))                             -- expect: number
k:stop()
local done = chan()
local f = time.afterfunc(0.001, function() done:send("fired") end)
print((<-done), f:stop(), f.c)                   -- expect: fired	false	nil
local g = time.afterfunc(100, print)
print(g:stop(), g:stop())                        -- expect: true	false
print(time.tick(0), pcall(time.ticker, 0) == false)   -- expect: nil	true
-- Unreferenced timers: an afterfunc still fires, a channel that is waited on too.
time.afterfunc(0.005, function() done:send("kept") end)
collectgarbage()
print(<-done)                                    -- expect: kept
local c = time.timer(0.005).c
collectgarbage() collectgarbage()
print(type((<-c)))                               -- expect: number
for i = 1, 1000 do time.after(1000) time.ticker(0.001) end
collectgarbage() collectgarbage()
local i = select {{recv = chan()}, {recv = time.after(0.002)}}
print(i)                                         -- expect: 2

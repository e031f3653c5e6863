-- Counting, waiting, and ways for a goroutine to end that all count.
-- Protects: runtime/sync.c (WaitGroup), stdlib/synclib.c.
local wg, n = sync.waitgroup(), atomic.int()
wg:wait()
wg:add(2)
go(function() n:add(1) wg:done() end)
go(function() n:add(1) wg:done() end)
wg:wait()
print(n:load())                                         -- expect: 2
for i = 1, 100 do wg:go(function(d) n:add(d) end, 10) end
wg:wait()
print(n:load())                                         -- expect: 1002
wg:go(function() runtime.goexit() end)
wg:wait()
print("goexit counted")                                 -- expect: goexit counted
local _, e = pcall(wg.done, wg)
print((e:gsub("^[^:]*:%d+: ", "")))                     -- expect: negative WaitGroup counter
-- A group that only its goroutines know outlives them.
for i = 1, 50 do
  sync.waitgroup():go(function() runtime.gosched() end)
  collectgarbage()
end
-- Several waiters; reuse.
local out = chan()
wg:add()
for i = 1, 3 do go(function() wg:wait() out:send(i) end) end
runtime.gosched()
wg:done()
local sum = 0
for _ = 1, 3 do sum = sum + out:recv() end
print(sum)                                              -- expect: 6

-- setlimit: go blocks while that many run; the limit stays put while they do.
-- Protects: stdlib/errgroup.c, runtime/sync.c (sem_resize).
local g = sync.errgroup()
g:setlimit(3)
local inside, most, started = atomic.int(), atomic.int(), 0
for i = 1, 40 do
  g:go(function()
    local n = inside:add(1)
    local m = most:load()
    while n > m and not most:cas(m, n) do m = most:load() end
    runtime.gosched()
    inside:add(-1)
    if i % 10 == 0 then runtime.goexit() end
    if i % 11 == 0 then error("e", 0) end
  end)
  started = started + 1
end
print(g:wait())                              -- expect: nil	e
print(most:load() <= 3, inside:load(), started)  -- expect: true	0	40
-- With one place, go waits for the first to end.
local g = sync.errgroup()
g:setlimit(1)
local order, gate = {}, chan()
g:go(function() gate:recv() order[#order + 1] = 1 end)
go(function() time.sleep(0.01) gate:send(true) end)
g:go(function() order[#order + 1] = 2 end)
g:wait()
print(order[1], order[2])                    -- expect: 1	2
g:setlimit(-1)
local all = chan(5)
for i = 1, 5 do g:go(function() gate:recv() all:send(i) end) end
print((pcall(g.setlimit, g, 2)))             -- expect: false
local _, e = pcall(function() g:setlimit(2) end)
print((e:gsub("^[^:]*:%d+: ", "")))          -- expect: limit of an errgroup changed while its goroutines run
for _ = 1, 5 do gate:send(true) end
print(g:wait(), #all)                        -- expect: true	5
g:setlimit(2)
local _, e = pcall(function() g:setlimit("x") end)
print((e:gsub("^[^:]*:%d+: ", "")))          -- expect: bad argument #1 to 'setlimit' (number expected, got string)

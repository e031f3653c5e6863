-- options: --race
-- close happens before a receive that sees it, whether the receiver waits or comes later, by all ways to receive.
local t, stop, wg = {}, chan(), sync.waitgroup()
local function look() assert(t.value == 42) end
wg:go(function() stop:recv() look() end)
wg:go(function() select case <-stop then look() end end)
wg:go(function() for _ in stop do end look() end)
wg:go(function()
  repeat local _, ok, ready = stop:tryrecv() runtime.gosched() until ready and not ok
  look()
end)
wg:go(function() select { { recv = stop, look } } end)
for _ = 1, 20 do runtime.gosched() end
t.value = 42
stop:close()
wg:wait()
go(function() <-stop look() end)

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
-- nor whether it is learned from the error of a send, in any form, or of another close
local over, state = chan(1), {}
go(function() state.n = 1 over:close() end)
while runtime.numgoroutine() > 1 do runtime.gosched() end -- that is no edge
for _, learn in ipairs {
  function() over:send(1) end,
  function() over <- 1 end,
  function() over:trysend(1) end,
  function() select case over <- 1 then end end,
  function() select {{send = over, value = 1}, default = true} end,
  function() over:close() end,
} do
  go(function()
    assert(not pcall(learn))
    assert(state.n == 1)
  end)
end
while runtime.numgoroutine() > 1 do runtime.gosched() end

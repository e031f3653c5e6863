-- What blocks forever and what never does: nil, closed, full and empty channels in receives, sends and selects.
-- Protects: runtime/chan.c, runtime/select.c; the states a dump shows.
local none
local closed, full, empty, filled = chan(), chan(1), chan(), chan(1)
closed:close()
full:send(1) filled:send(1)
local function outcome(f)
  local res = chan(1)
  local before = runtime.numgoroutine()
  go(function()
    local ok, e = pcall(f)
    res:send(ok and "goes on" or (e:gsub("^[^:]*:%d+: ", "")))
  end)
  for _ = 1, 100 do
    runtime.gosched()
    local v, ok = res:tryrecv()
    if ok then return v end
    if select(2, runtime.stack(true):gsub("goroutine %d+ %[[^r][^\n]*%]", "")) >= before then
      v, ok = res:tryrecv()
      if ok then return v end
      return "blocks"
    end
  end
  time.sleep(0.05)
  return res:tryrecv() or "blocks"
end
print(outcome(function() none <- 1 end))                       -- expect: blocks
print(outcome(function() local _ = <-none end))                -- expect: blocks
print(outcome(function() empty:send(1) end))                   -- expect: blocks
print(outcome(function() full:send(1) end))                    -- expect: blocks
print(outcome(function() closed:send(1) end))                  -- expect: send on closed channel
print(outcome(function() for _ = 1, 10 do closed:recv() end end)) -- expect: goes on
print(outcome(function() select end end))                      -- expect: blocks
print(outcome(function() select {} end))                       -- expect: blocks
print(outcome(function() select else end end))                 -- expect: goes on
print(outcome(function() select case <-none then case none <- 1 then end end))  -- expect: blocks
print(outcome(function() select case <-none then else end end))                 -- expect: goes on
print(outcome(function() select case <-none then case closed <- 1 then end end)) -- expect: send on closed channel
print(outcome(function() select case <-closed then case full <- 1 then end end)) -- expect: goes on
print(outcome(function() select case <-filled then case <-none then end end))   -- expect: goes on
print(outcome(function() select {{recv = nil}, {send = nil, value = 1}, {recv = closed}} end)) -- expect: goes on

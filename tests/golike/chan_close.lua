-- close: what is queued is still received, in order; all that wait are woken, receivers with nil, senders with an error.
-- Protects: runtime/chan.c (chan_close).
local c = chan(3)
c:send(1) c:send(2)
c:close()
print(#c, c:cap(), c:recv())                       -- expect: 2	3	1	true
print(c:recv())                                    -- expect: 2	true
for _ = 1, 3 do assert(select("#", c:recv()) == 2 and c:recv() == nil) end
print(pcall(c.close, c))                           -- expect: false	close of closed channel
local d, woken, wg = chan(), atomic.int(), sync.waitgroup()
for i = 1, 50 do
  wg:go(function()
    local v, ok
    if i % 3 == 0 then v, ok = d:recv()
    elseif i % 3 == 1 then v, ok = <-d
    else local _ _, v, ok = select {{recv = d}, {recv = chan()}} end
    if v == nil and ok == false then woken:add(1) end
  end)
end
while select(2, runtime.stack(true):gsub("%[chan receive", "")) + select(2, runtime.stack(true):gsub("%[select%]", "")) < 50 do
  runtime.gosched()
end
d:close()
wg:wait()
print(woken:load())                                -- expect: 50
local e, failed = chan(1), atomic.int()
e:send(0)
for i = 1, 20 do
  wg:go(function()
    local ok, err = pcall(function()
      if i % 2 == 0 then e <- i else select case e <- i then case <-chan() then end end
    end)
    if not ok and err:find "send on closed channel" then failed:add(1) end
  end)
end
while select(2, runtime.stack(true):gsub("%[chan send", "")) + select(2, runtime.stack(true):gsub("%[select%]", "")) < 20 do
  runtime.gosched()
end
e:close()
wg:wait()
print(failed:load(), e:recv())                     -- expect: 20	0	true
print(e:recv())                                    -- expect: nil	false
-- Exactly one of many that close at once succeeds.
for _ = 1, 50 do
  local f, won = chan(), atomic.int()
  for _ = 1, 8 do wg:go(function() if pcall(f.close, f) then won:add(1) end end) end
  wg:wait()
  assert(won:load() == 1)
end

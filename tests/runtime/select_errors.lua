-- What select refuses, whatever is ready.
-- Protects: stdlib/golib.c, runtime/select.c.
local function err(f, ...)
  local _, e = pcall(f, ...)
  print((tostring(e):gsub("^[^:]*:%d+: ", "")))
end
local ready, s = chan(1), chan("string", 1)
ready:send(1)
err(function() select {{recv = ready}, {send = s}} end)            -- expect: cannot send nil on a channel
err(function() select {{recv = ready}, {send = s, value = 1}} end) -- expect: cannot send a number value on a chan string
err(function() select {{recv = 5}} end)  -- expect: bad case #1 in 'select' (chan expected in field 'recv', got number)
err(function() select {{recv = ready, 5}} end)  -- expect: bad case #1 in 'select' (function expected as handler, got number)
err(function() select {{recv = ready}, default = 5} end)  -- expect: bad field 'default' in 'select' (boolean or function expected, got number)
err(function() select {{recv = ready}, 7} end)  -- expect: bad case #2 in 'select' (table expected, got number)
err(function() select {{recv = s:sender()}} end)             -- expect: cannot receive from a send-only channel
s:close()
err(function() select {{send = s, value = "x"}} end)         -- expect: send on closed channel
err(function() select case s <- "x" then end end)            -- expect: send on closed channel
print(#ready)                                                -- expect: 1
-- A select parked in a send learns of the close.
local c, out = chan(), chan()
go(function()
  local _, e = pcall(function() select {{send = c, value = 1}, {recv = chan()}} end)
  out:send((e:gsub("^[^:]*:%d+: ", "")))
end)
while not runtime.stack(true):find("[select", 1, true) do runtime.gosched() end
c:close()
print(<-out)                                                 -- expect: send on closed channel

-- What a channel refuses, and in which words.
-- Protects: stdlib/chanlib.c, runtime/chan.c.
local function err(f, ...)
  local ok, e = pcall(f, ...)
  print((tostring(e):gsub("^[^:]*:%d+: ", "")))
end
local ch = chan(1)
err(function() ch:send(nil) end)       -- expect: cannot send nil on a channel
err(function() ch:send() end)          -- expect: cannot send nil on a channel
err(function() ch <- nil end)          -- expect: cannot send nil on a channel
err(function() ch:trysend(nil) end)    -- expect: cannot send nil on a channel
ch:close()
err(function() ch:close() end)         -- expect: close of closed channel
err(function() ch:send(1) end)         -- expect: send on closed channel
err(function() ch <- 1 end)            -- expect: send on closed channel
err(function() ch:trysend(1) end)      -- expect: send on closed channel
err(function() chan(-1) end)           -- expect: bad argument #1 to 'chan' (capacity out of range)
err(function() chan(1 << 62) end)      -- expect: bad argument #1 to 'chan' (capacity out of range)
err(function() chan("foo") end)        -- expect: bad argument #1 to 'chan' (unknown type 'foo')
err(function() chan("string", -1) end) -- expect: bad argument #2 to 'chan' (capacity out of range)
err(function() chan({}) end)           -- expect: bad argument #1 to 'chan' (number expected, got table)
err(function() ch.send(5, 1) end)      -- expect: bad argument #1 to 'send' (chan expected, got number)
err(function() local x = 5 x <- 1 end) -- expect: attempt to send on a number value (local 'x')
err(function() local t = {x = {}} local v = <-t.x end) -- expect: attempt to receive from a table value (field 'x')
-- The error of a parked sender comes when close wakes it.
local c, done = chan(), chan()
go(function()
  local ok, e = pcall(c.send, c, 1)
  done:send((e:gsub("^[^:]*:%d+: ", "")))
end)
while not runtime.stack(true):find("[chan send", 1, true) do runtime.gosched() end
c:close()
print((done:recv()))                   -- expect: send on closed channel

-- Views: one direction only, equal to their channel, closable only by a side that can send.
-- Protects: stdlib/chanlib.c, runtime/chan.c (ChanView).
local function err(f, ...)
  local _, e = pcall(f, ...)
  print((tostring(e):gsub("^[^:]*:%d+: ", "")))
end
local ch = chan("integer", 2)
local tx, rx = ch:sender(), ch:receiver()
print(ch == tx, rx == ch, tx == rx, tx == chan():sender(), rawequal(tx, ch)) -- expect: true	true	true	false	false
print(chan.type(tx), chan.type(rx))    -- expect: chan<- integer	<-chan integer
print((tostring(tx):gsub("0x%x+", "ADDR")), (tostring(rx):gsub("0x%x+", "ADDR")))
-- expect: chan<- integer: ADDR	<-chan integer: ADDR
print(tostring(tx):match("0x%x+") == tostring(ch):match("0x%x+"))  -- expect: true
tx:send(1) tx <- 2
print(rx:recv()) print(<-rx)
-- expect: 1	true
-- expect: 2
print(#tx, rx:cap(), tx:sender() == ch)                            -- expect: 0	2	true
err(function() rx:send(1) end)         -- expect: cannot send on a receive-only channel
err(function() rx <- 1 end)            -- expect: cannot send on a receive-only channel
err(function() tx:recv() end)          -- expect: cannot receive from a send-only channel
err(function() local v = <-tx end)     -- expect: cannot receive from a send-only channel
err(function() for _ in tx do end end) -- expect: cannot receive from a send-only channel
err(function() rx:close() end)         -- expect: cannot close a receive-only channel
err(function() rx:sender() end)        -- expect: cannot send on a receive-only channel
err(function() tx:receiver() end)      -- expect: cannot receive from a send-only channel
tx:close()
print(rx:recv())                       -- expect: nil	false

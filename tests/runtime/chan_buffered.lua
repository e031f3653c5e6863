-- A buffered channel takes `cap` values without a receiver and gives them back in order, also after close.
-- Protects: runtime/chan.c (the ring).
local ch = chan(3)
print(#ch, ch:cap())                    -- expect: 0	3
ch:send("a") ch:send("b") ch <- "c"
print(#ch, ch:trysend("d"))             -- expect: 3	false
print(ch:recv())                        -- expect: a	true
print(ch:trysend("e"), #ch)             -- expect: true	3
ch:close()
print(ch:recv()) print(ch:recv()) print(ch:recv())
-- expect: b	true
-- expect: c	true
-- expect: e	true
print(ch:recv())                        -- expect: nil	false
print(ch:tryrecv())                     -- expect: nil	false	true
local open = chan(1)
print(open:tryrecv())                   -- expect: nil	false	false
open:send(0)
print(open:tryrecv())                   -- expect: 0	true	true
-- A sender waiting on a full ring gets the place of the first value taken.
local c = chan(1)
local sent = chan()
go(function() for i = 1, 4 do c:send(i) end sent:close() end)
local t = {}
for _ = 1, 4 do t[#t + 1] = c:recv() end
sent:recv()
print(table.concat(t, " "))             -- expect: 1 2 3 4

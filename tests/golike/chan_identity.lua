-- A channel is what it is: equal to itself and its views, but a key of its own in tables as each view is; another channel is
-- another one; it goes through channels, tables, goroutines and closures as itself, and `chan.type` tells.
-- Protects: stdlib/chanlib.c (__eq), runtime/chan.c (ChanView).
local c, d = chan("integer", 1), chan("integer", 1)
local tx, rx = c:sender(), c:receiver()
print(c == c, c == tx, tx == rx, rx == c:receiver(), c == d, tx == d:sender(), c == nil, c == 1) -- expect: true	true	true	true	false	false	false	false
print(rawequal(c, tx), rawequal(tx, tx:sender()), rawequal(rx, rx:receiver()))  -- expect: false	true	true
local t = {[c] = "whole", [tx] = "send", [rx] = "receive"}
print(t[c], t[tx], t[rx], t[d])                       -- expect: whole	send	receive	nil
local through, back = chan("chan", 1), chan(1)
through <- c
print(rawequal(<-through, c))                         -- expect: true
through <- rx
local same = <-through
print(rawequal(same, rx), chan.type(same), pcall(same.sender, same)) -- expect: true	<-chan integer	false	cannot send on a receive-only channel
go(function(...) back:send(rawequal(c, (...))) end, c)
print((<-back))                                       -- expect: true
for _, x in ipairs {1, "x", {}, print, io.stdout, sync.mutex(), coroutine.create(print)} do assert(chan.type(x) == nil) end
assert(chan.type(nil) == nil and not pcall(chan.type))
for _, ty in ipairs {"integer", "float", "number", "string", "boolean", "table", "function", "userdata", "thread", "chan"} do
  assert(chan.type(chan(ty)) == "chan " .. ty and chan.type(chan(ty, 2):sender()) == "chan<- " .. ty)
  assert(tostring(chan(ty):receiver()):find("^<%-chan " .. ty .. ": 0x%x+$"))
end
print(type(c), type(tx), #c, c:cap(), rx:cap())       -- expect: userdata	userdata	0	1	1
-- An operation on a view is one on the channel: also the close.
tx:send(7)
print(#rx, (rx:recv()))                               -- expect: 1	7
tx:close()
print(rx:recv())                                      -- expect: nil	false
print(select(2, pcall(c.send, c, 1)), select(2, pcall(tx.close, tx))) -- expect: send on closed channel	close of closed channel
for v in rx do error "open" end

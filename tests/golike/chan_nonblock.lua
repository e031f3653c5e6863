-- Operations that must not block: on empty, full, closed and nil channels, in all forms. What is ready is taken.
-- Protects: runtime/chan.c, runtime/select.c (poll).
local never
local function tryboth(ch, v)
  local got, sent
  select case <-ch then got = "received" else got = "-" end
  select case ch <- v then sent = "sent" else sent = "-" end
  return got .. " " .. sent
end
print(tryboth(chan(), 1))          -- expect: - -
print(tryboth(never, 1))           -- expect: - -
local one = chan(1)
print(tryboth(one, 1))             -- expect: - sent
print(tryboth(one, 2), #one)       -- expect: received sent	1
print((<-one))                     -- expect: 2
one:send(3)
one:close()
print(one:tryrecv())               -- expect: 3	true	true
print(one:tryrecv())               -- expect: nil	false	true
print(pcall(select, {{send = one, value = 1}, default = true})) -- expect: false	send on closed channel
print(pcall(one.trysend, one, 1))  -- expect: false	send on closed channel
-- A partner that waits makes the operation possible, whichever side it is on.
local c, seen = chan(), chan(1)
go(function() seen:send(<-c) end)
repeat runtime.gosched() until c:trysend("to a waiting receiver")
print(<-seen)                      -- expect: to a waiting receiver
go(function() c:send("from a waiting sender") end)
local v, ok, ready
repeat runtime.gosched() v, ok, ready = c:tryrecv() until ready
print(v, ok)                       -- expect: from a waiting sender	true

-- The channel of a timer or ticker is for receiving only: nobody but the clock sends on it or closes it, in any form, and
-- the timer goes on working after an attempt. The channel itself is its receive-only view.
-- Protects: stdlib/timelib.c (push_timer), runtime/chan.h (chan_of).
local function refused(want, f, ...)
  local ok, e = pcall(f, ...)
  assert(not ok and e:find(want, 1, true), e)
end
local t, k = time.timer(3600), time.ticker(3600)
for _, c in ipairs {t.c, k.c, time.after(3600), time.tick(3600)} do
  assert(chan.type(c) == "<-chan" and tostring(c):find "^<%-chan: 0x" and c == c:receiver() and rawequal(c, c:receiver()))
  refused("cannot send on a receive-only channel", c.send, c, 1)
  refused("cannot send on a receive-only channel", c.trysend, c, 1)
  refused("cannot send on a receive-only channel", function() c <- 1 end)
  refused("cannot send on a receive-only channel", select, {{send = c, value = 1}, default = true})
  refused("cannot send on a receive-only channel", function() select case c <- 1 then else end end)
  refused("cannot send on a receive-only channel", c.sender, c)
  refused("cannot close a receive-only channel", c.close, c)
  refused("cannot close a receive-only channel", function() local _ <close> = c end)
  assert(select(3, c:tryrecv()) == false and #c == 0)
end
assert(t:reset(0) and type((<-t.c)) == "number" and not t:stop())
k:reset(0.0005)
for _ = 1, 3 do assert(k.c:recv()) end
k:stop()
assert(select(3, k.c:tryrecv()) == false)
local typed = chan("chan", 1) -- it is a channel all the same
typed <- t.c
assert(rawequal(<-typed, t.c) and t.c == t.c)
print "ok" -- expect: ok

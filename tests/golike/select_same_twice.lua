-- One channel in several cases of a select, in both directions and blocked: one partner completes it once, and no waiter
-- stays behind.
-- Protects: runtime/select.c (locks each channel once, takes all waiters out).
local c, back = chan(), chan()
local function blocked(n)
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[select", "")) == n
end
local function chooser()
  select
  case v = <-c then back:send("r" .. v)
  case v = <-c then back:send("r" .. v)
  case c <- "s" then back:send("s")
  case c <- "s" then back:send("s")
  case <-back then error "nobody sends"
  end
end
for i = 1, 100 do
  go(chooser)
  if i % 10 == 0 then blocked(1) end
  if i % 2 == 0 then
    c:send(i)
    assert(<-back == "r" .. i)
  else
    assert(<-c == "s")
    assert(<-back == "s")
  end
  assert(not c:trysend(1) and select(3, c:tryrecv()) == false, "a waiter was left behind")
end
print "ok" -- expect: ok

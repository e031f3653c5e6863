-- options: --race
-- Starting a timer happens before its function, or the receipt of its value. Sleeping by itself orders nothing.
local t, done = {}, chan()
t.a = 1
time.afterfunc(0.001, function() assert(t.a == 1) t.b = 2 done <- true end)
<-done
assert(t.b == 2)
local timer = time.timer(60)
local got = chan()
go(function()
  <-timer.c
  assert(t.c == 3)
  got <- true
end)
t.c = 3
timer:reset(0.001)
<-got
t.c = 4
for _ = 1, 3 do time.sleep(0.001) t.c = t.c + 1 end

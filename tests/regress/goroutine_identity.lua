-- The state of an ended goroutine was used for the next one although Lua code still held it (coroutine.running), so two
-- goroutines had the same identity, and the thread of a dead goroutine came to life again.
local seen, dup = {}, 0
for _ = 1, 100 do
  local c = chan()
  go(function() c <- coroutine.running() end)
  local th = <-c
  if seen[th] then dup = dup + 1 end
  seen[th] = true
  runtime.gosched()
end
print(dup) -- expect: 0
time.sleep(0.01)
local states = {}
for th in pairs(seen) do states[coroutine.status(th)] = true end
print(next(states), next(states, (next(states)))) -- expect: dead	nil

-- A data race: two goroutines read, add and write one variable without a lock. One of the updates may be lost.
-- Expect: 1 or 2, depending on the schedule. `lungo --race` finds the race in every run.
local counter, wg = 0, sync.waitgroup()

for _ = 1, 2 do
  wg:go(function()
    local seen = counter
    runtime.gosched() -- the other one may run here
    counter = seen + 1
  end)
end
wg:wait()
print(counter)

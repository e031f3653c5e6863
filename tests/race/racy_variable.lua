-- options: --race
-- expect-status: 66
-- A captured variable that two goroutines count up: one report for the line, with both accesses and both creations.
-- expect-stderr: ^WARNING: DATA RACE$
-- expect-stderr: ^(Read|Write) at 0x[0-9a-f]+ \(variable 'n'\) by goroutine [0-9]+:$
-- expect-stderr: ^Previous (read|write) at 0x[0-9a-f]+ \(variable 'n'\) by goroutine [0-9]+:$
-- expect-stderr: ^	tests/race/racy_variable\.lua:17: in (upvalue|local) 'bump'$
-- expect-stderr: ^	tests/race/racy_variable\.lua:21: in function <tests/race/racy_variable\.lua:21>$
-- expect-stderr: ^Goroutine [0-9]+ \((running|finished)\) created at:$
-- expect-stderr: ^Goroutine [0-9]+ \((running|finished)\) created at:$
-- expect-stderr: ^	tests/race/racy_variable\.lua:21: in main chunk$
-- expect-stderr: ^==================$
-- expect-stderr: ^Found 1 data race$
local n = 0
local wg = sync.waitgroup()
local function bump()
  n = n + 1
end
wg:add(2)
for _ = 1, 2 do
  go(function() bump() wg:done() end)
end
wg:wait()
-- expect: done
print("done")

-- options: --race
-- expect-status: 66
-- Goroutines that never meet, on one processor or many: the second starts long after the first has ended.
-- expect-stderr: ^Previous write at 0x[0-9a-f]+ \(variable 'n'\) by goroutine [0-9]+:$
-- expect-stderr: ^Goroutine [0-9]+ \(finished\) created at:$
-- expect-stderr: ^Found 1 data race$
local n = 0
local function set(v) n = v end
go(set, 1)
while runtime.numgoroutine() > 1 do time.sleep(0.001) end
go(set, 2)
while runtime.numgoroutine() > 1 do time.sleep(0.001) end

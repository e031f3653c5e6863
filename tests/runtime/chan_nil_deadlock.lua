-- A receive from nil blocks for ever; the dump says so.
-- expect-status: 2
-- expect-stderr: fatal error: all goroutines are asleep - deadlock!
-- expect-stderr: goroutine 1 \[chan receive \(nil chan\)\]:
local ch
local v = <-ch

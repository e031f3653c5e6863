-- A send to nil blocks for ever; the dump says so.
-- expect-status: 2
-- expect-stderr: fatal error: all goroutines are asleep - deadlock!
-- expect-stderr: goroutine 1 \[chan send \(nil chan\)\]:
local ch
ch <- 1

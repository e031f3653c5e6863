-- The shortest deadlock: main sends, and there is no one else.
-- Expect: fatal error: all goroutines are asleep - deadlock!, exit status 2
local ch = chan("integer")
ch <- 2

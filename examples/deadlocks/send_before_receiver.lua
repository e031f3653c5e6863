-- The receiver is started too late: the send before it already waits for ever.
-- Expect: fatal error: all goroutines are asleep - deadlock!, exit status 2
local function receiver(ch) print(<-ch) end

local ch = chan("integer")
ch <- 1
go receiver(ch)

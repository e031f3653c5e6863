-- Resolved: the send runs in a goroutine of its own, so main can receive.
-- Expect: 1
local ch = chan("integer")
go function() ch <- 1 end()
print(<-ch)

-- One goroutine sends, the main goroutine receives.
-- Expect: ping
local messages = chan()
go function() messages <- "ping" end()
local msg = <-messages
print(msg)

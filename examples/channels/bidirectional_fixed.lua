-- The same with a goroutine that sends, so that main can receive.
-- Expect: Hello, Go!
local ch = chan("string")
go function() ch <- "Hello, Go!" end()
local message = <-ch
print(message)

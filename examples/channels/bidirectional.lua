-- As the note has it: one goroutine sends on an unbuffered channel before anyone receives. It waits for ever.
-- Expect: fatal error: all goroutines are asleep - deadlock!, exit status 2. See bidirectional_fixed.
local ch = chan("string")
ch <- "Hello, Go!"
local message = <-ch
print(message)

-- An unbuffered send in the only goroutine: nobody will ever receive.
-- Expect: fatal error: all goroutines are asleep - deadlock!, exit status 2
local c = chan("integer")
c <- 17
print(<-c)

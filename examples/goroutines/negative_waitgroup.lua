-- A wait group's counter must not fall below zero: that is an error of the program.
-- Expect: panic: ... negative WaitGroup counter, exit status 2
local wg = sync.waitgroup()
wg:add(1)
wg:done()
wg:done()

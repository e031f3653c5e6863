-- How to see that a buffered channel is full, and what to do then: drop, wait with a limit, or block.
-- Expect: full at 2 of 2; dropped; gave up after a while; sent once there was room.
local c = chan("integer", 2)
c <- 1
c <- 2
print("full:", #c == c:cap(), #c .. " of " .. c:cap())

select
case c <- 3 then print("sent 3")
else print("dropped 3")
end

select
case c <- 4 then print("sent 4")
case <-time.after(50 * time.millisecond) then print("gave up on 4")
end

print("trysend:", c:trysend(5))
local took = chan()
go function() print("made room by taking " .. <-c) took:close() end()
c <- 6
print("sent 6")
local _ = <-took

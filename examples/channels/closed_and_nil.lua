-- Reading from and writing to open, closed and nil channels.
-- Expect: values from an open one; nil, false from a closed one; an error for a send on it; nil blocks for ever.
local open = chan(1)
open <- "v"
print("open:", <-open)

local closed = chan("integer", 1)
closed <- 7
closed:close()
print("closed, not drained:", closed:recv())
print("closed, drained:", closed:recv())
print("send:", select(2, pcall(function() closed <- 8 end)))
print("close again:", select(2, pcall(closed.close, closed)))

local none
select
case v = <-none then print("never")
case <-time.after(20 * time.millisecond) then print("nil: not ready, ever")
end

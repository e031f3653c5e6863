-- The length of a channel: how many values are queued in its buffer.
-- Expect: Length of the channel is: 4
local c = chan("string", 4)
c <- "GFG"
c <- "gfg"
c <- "Geeks"
c <- "GeeksforGeeks"
print("Length of the channel is:", #c)

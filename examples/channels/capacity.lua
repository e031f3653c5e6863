-- The capacity of a channel: the size of its buffer.
-- Expect: Capacity of the channel is: 5
local c = chan("string", 5)
c <- "GFG"
c <- "gfg"
c <- "Geeks"
c <- "GeeksforGeeks"
print("Capacity of the channel is:", c:cap())

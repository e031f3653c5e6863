-- A variable that shall hold a channel is nil before; chan makes one, with a type and an address.
-- Expect: nil, no type; then the channel's address and its type chan integer.
local mychannel
print("Value of the channel:", mychannel)
print("Type of the channel:", chan.type(mychannel))

local mychannel1 = chan("integer")
print("Value of the channel1:", mychannel1)
print("Type of the channel1:", chan.type(mychannel1))

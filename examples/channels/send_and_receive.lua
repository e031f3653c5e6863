-- Channel directions: the sender gets a send-only view, the receiver a receive-only one.
-- Expect: Received: 42
local function sender(ch)
  local value = 42
  ch <- value
end

local function receiver(ch)
  local value = <-ch
  print("Received:", value)
end

local ch = chan("integer")
go sender(ch:sender())
receiver(ch:receiver())

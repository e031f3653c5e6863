-- A send-only and a receive-only view of one channel; a second channel says when all is received.
-- Expect: Received: 42
local function send_data(ch, value)
  ch <- value
  ch:close()
end

local function receive_data(ch, done)
  for num in ch do print("Received:", num) end
  done <- true
end

local ch, done = chan("integer"), chan("boolean")
go send_data(ch:sender(), 42)
go receive_data(ch:receiver(), done:sender())
<-done

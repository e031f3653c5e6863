-- Receiving in a loop until the second result says that the channel is closed.
-- Expect: four times Channel Open GeeksforGeeks true, then Channel Close false
local function myfun(c)
  for _ = 1, 4 do c <- "GeeksforGeeks" end
  c:close()
end

local c = chan("string")
go myfun(c)
while true do
  local res, ok = <-c
  if not ok then
    print("Channel Close", ok)
    break
  end
  print("Channel Open", res, ok)
end

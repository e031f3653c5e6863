-- An unbuffered channel as a wait group: five receives wait for five senders.
-- Expect: 1 to 5, in any order.
local function print_data(i, ch)
  print(i)
  ch <- 1
end

local ch = chan("integer")
for i = 1, 5 do go print_data(i, ch) end
for _ = 1, 5 do <-ch end

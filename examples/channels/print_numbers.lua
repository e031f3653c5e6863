-- A producer sends a number each second and closes; the consumer prints until then.
-- Expect: Received: 1 to Received: 5, a second apart.
local function print_numbers(c)
  for i = 1, 5 do
    c <- i
    time.sleep(1 * time.second)
  end
  c:close()
end

local c = chan("integer")
go print_numbers(c)
for num in c do print("Received: " .. num) end

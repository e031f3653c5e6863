-- A generator: a function that returns a channel, and a goroutine behind it. Channels are handles on a service.
-- Expect: Joe and Ann in turns, as we listen to them in turns: Joe 1, Ann 1, Joe 2, ...

local function speaker(name)
  local c = chan("string")
  go function()
    local i = 0
    while true do
      i = i + 1
      c <- name .. " " .. i
      time.sleep(math.random() * 2 * time.millisecond)
    end
  end()
  return c:receiver()                     -- the caller can only receive
end

local joe, ann = speaker("Joe"), speaker("Ann")
for _ = 1, 3 do
  print(<-joe)
  print(<-ann)                            -- even if Ann is ready first, she waits for Joe
end

-- The same as an iterator: a channel is what a for loop wants.
local function range(n)
  local c = chan("integer")
  go function()
    for i = 1, n do c <- i end
    c:close()
  end()
  return c
end
local sum = 0
for i in range(100) do sum = sum + i end
print("sum " .. sum)

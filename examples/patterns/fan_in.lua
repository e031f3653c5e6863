-- Fan-in: several channels become one, and whoever is ready talks. Once with a goroutine for each, once with select.
-- Expect: the lines of Joe and Ann, 1 to 5 each, in any order; the same of Bob and Eve

local function speaker(name)
  local c = chan("string")
  go function()
    for i = 1, 5 do
      c <- name .. " " .. i
      time.sleep(math.random() * 2 * time.millisecond)
    end
  end()
  return c
end

-- Any number of inputs: one goroutine for each.
local function merge(...)
  local out = chan("string")
  for _, input in ipairs { ... } do
    go function()
      for v in input do out <- v end
    end()
  end
  return out
end

-- A fixed number: one goroutine and a select.
local function merge2(a, b)
  local out = chan("string")
  go function()
    while true do
      select
      case v = <-a then out <- v
      case v = <-b then out <- v
      end
    end
  end()
  return out
end

local c = merge(speaker("Joe"), speaker("Ann"))
for _ = 1, 10 do print(<-c) end
local d = merge2(speaker("Bob"), speaker("Eve"))
for _ = 1, 10 do print(<-d) end

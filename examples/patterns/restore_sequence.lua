-- Two speakers on one channel, but in step: each message brings a channel on which its sender waits for a nod.
-- Expect: in each round one message of each, whoever was first: round 1: Ann 1, Joe 1, ...

local function speaker(name)
  local c = chan("table")
  go function()
    local nod, i = chan(), 0
    while true do
      i = i + 1
      c <- { text = name .. " " .. i, nod = nod }
      time.sleep(math.random() * 2 * time.millisecond)
      <-nod                               -- goes on only when told to
    end
  end()
  return c
end

local function merge(a, b)
  local out = chan("table")
  for _, c in ipairs { a, b } do
    go function()
      for m in c do out <- m end
    end()
  end
  return out
end

local c = merge(speaker("Joe"), speaker("Ann"))
for round = 1, 4 do
  local first, second = <-c, nil
  second = <-c
  local said = { first.text, second.text }
  table.sort(said)
  print("round " .. round .. ": " .. table.concat(said, ", "))
  first.nod <- true
  second.nod <- true
end

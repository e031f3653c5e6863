-- time.after bounds a wait, a ticker does something again and again until it is stopped.
-- Expect: an answer in time, one that comes too late, then three ticks

local function ask(seconds)
  local answer = chan("string", 1)        -- with room for one: the goroutine can end even if nobody listens any more
  go function()
    time.sleep(seconds)
    answer <- "the answer"
  end()
  return answer
end

local function get(seconds, limit)
  select
  case v = <-ask(seconds) then return v
  case <-time.after(limit) then return nil, "timeout"
  end
end

print(get(0.001, 5))
print(get(5, 0.02))

local ticker = time.ticker(5 * time.millisecond)
for n = 1, 3 do
  <-ticker.c
  print("tick " .. n)
end
ticker:stop()

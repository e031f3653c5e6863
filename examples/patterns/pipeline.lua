-- A pipeline: stages joined by channels, each a goroutine that reads from the one before. Whoever has enough closes
-- `done`, and every stage ends: no goroutine is left behind.
-- Expect: the squares 1, 9, 25 of odd numbers; after that no goroutine but the main one

-- Each stage takes what it reads from, and returns a channel that it closes when there is no more.
local function stage(done, body)
  local out = chan()
  go function()
    defer out:close()
    body(function(v)                      -- sends one value on; false: nobody wants more
      select
      case out <- v then return true
      case <-done then return false
      end
    end)
  end()
  return out:receiver()
end

local function numbers(done)
  return stage(done, function(emit)
    local n = 0
    repeat n = n + 1 until not emit(n)
  end)
end

local function filter(done, from, keep)
  return stage(done, function(emit)
    for v in from do
      if keep(v) and not emit(v) then return end
    end
  end)
end

local function map(done, from, f)
  return stage(done, function(emit)
    for v in from do
      if not emit(f(v)) then return end
    end
  end)
end

local done = chan()
local odd = filter(done, numbers(done), function(n) return n % 2 == 1 end)
local squares = map(done, odd, function(n) return n * n end)
for _ = 1, 3 do print(<-squares) end

done:close()                              -- a closed channel is always ready: all stages hear it
while runtime.numgoroutine() > 1 do time.sleep(time.millisecond) end
print("goroutines: " .. runtime.numgoroutine())

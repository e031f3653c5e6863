-- A wait group waits for exactly the goroutines it counts: no sleeping.
-- Expect: both lines, in any order, at once.
local wg = sync.waitgroup()

local function hello()
  defer wg:done()
  print("Hello World!")
end
local function goodbye()
  defer wg:done()
  print("Good Bye!")
end

wg:add(2)
go hello()
go goodbye()
wg:wait()

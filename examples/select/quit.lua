-- A quit channel ends a generator: select either sends the next number or hears that it is over.
-- Expect: the first ten Fibonacci numbers, then quit
local function fibonacci(c, quit)
  local x, y = 0, 1
  while true do
    select
    case c <- x then x, y = y, x + y
    case <-quit then
      print("quit")
      return
    end
  end
end

local c, quit = chan(), chan()
go function()
  for _ = 1, 10 do print(<-c) end
  quit <- 0
end()
fibonacci(c, quit)

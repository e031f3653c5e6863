-- One greeter runs beside the main goroutine, a second one in it; then a channel brings a sum back.
-- Expect: five times hello, five times world, then After adding Final_cc 15
local function greeter(word)
  for _ = 1, 5 do print(word) end
end

local function add(c, a, b) c <- a + b end

go greeter("hello")
time.sleep(3 * time.millisecond) -- the greeter gets a head start
greeter("world")

local ch = chan("integer")
go add(ch, 5, 10)
local final = <-ch
print("After adding Final_cc " .. final)

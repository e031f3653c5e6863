-- Two goroutines, and a main goroutine that sleeps long enough for both.
-- Expect: both lines, in any order.
local function hello() print("Hello World!") end
local function goodbye() print("Good Bye!") end

go hello()
go goodbye()
time.sleep(2 * time.second)

-- Two goroutines that nobody waits for.
-- Expect: nothing, or one of the lines, or both, in any order.
local function hello() print("Hello World!") end
local function goodbye() print("Good Bye!") end

go hello()
go goodbye()

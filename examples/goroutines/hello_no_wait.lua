-- `go` does not wait: when the main goroutine returns, the process ends, other goroutines or not.
-- Expect: Good Bye! always; Hello World! at most sometimes.
local function hello() print("Hello World!") end
local function goodbye() print("Good Bye!") end

go hello()
goodbye()

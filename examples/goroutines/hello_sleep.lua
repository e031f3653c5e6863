-- Sleeping gives the other goroutine time to finish (a guess, not a way to synchronize: see two_waitgroup).
-- Expect: Hello World!, a second later Good Bye!
local function hello() print("Hello World!") end
local function goodbye() print("Good Bye!") end

go hello()
time.sleep(1 * time.second)
goodbye()

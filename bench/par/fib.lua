-- Two goroutines that compute fib(32).
local run = dofile(arg[0]:match("^.*/") .. "common.lua")
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
run(function() local r = fib(32) assert(r == 2178309) return r end)

-- A plain call is synchronous: the caller goes on only when the function has returned.
-- Expect: 01, then a.... HI
local function some_func(num) print(num) end

some_func("01")
print("a.... HI")

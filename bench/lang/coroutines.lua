-- Generators: resume and yield.
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local s = 0
for v in gen(3000000) do s = s + v end
assert(s == 4500001500000)
for _ = 1, 200000 do local co = coroutine.create(function(a) return a end) assert(select(2, coroutine.resume(co, 7)) == 7) end

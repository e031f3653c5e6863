-- Each operation's result, and sums that add up in parallel.
-- Protects: stdlib/atomiclib.c.
local i = atomic.int(5)
print(i:load(), i:add(3), i:swap(1), i:compareandswap(1, 6), i:cas(1, 7), i:load())  -- expect: 5	8	8	true	false	6
print(i:band(3), i:bor(9), i:load())             -- expect: 6	2	11
i:store(math.maxinteger) print(i:add(1) == math.mininteger)  -- expect: true
local b = atomic.bool()
print(b:load(), b:swap(true), b:cas(true, false), b:load())  -- expect: false	false	true	false
local v = atomic.value("x")
print(v:load(), v:swap(1.5), v:cas(1.5, nil), v:load(), v:cas(nil, {}), type(v:load())) -- expect: x	x	true	nil	true	table
v:store("a" .. "b") print(v:cas(("ab"):rep(1), 1 << 60), v:cas(1 << 60, 2), v:load())  -- expect: true	true	2
print(atomic.value():load())                     -- expect: nil
local n, wg = atomic.int(), sync.waitgroup()
for _ = 1, 8 do wg:go(function() for _ = 1, 1000 do n:add(1) end end) end
wg:wait()
print(n:load())                                  -- expect: 8000

-- once: one call, the others wait for it; done also after an error or goexit. oncevalue keeps values and errors.
-- Protects: runtime/sync.c (Once), stdlib/synclib.c.
local once, n, wg = sync.once(), 0, sync.waitgroup()
local seen = atomic.int()
for _ = 1, 10 do
  wg:go(function()
    once(function(x) runtime.gosched() n = n + x end, 5)
    if n == 5 then seen:add(1) end
  end)
end
wg:wait()
print(n, seen:load(), select("#", once(print)))   -- expect: 5	10	0
local o = sync.once()
print(pcall(o, error, "boom"))               -- expect: false	boom
o(print, "never")
local o2 = sync.once()
wg:go(function() o2(runtime.goexit) end)
wg:wait()
o2(print, "never")
local calls = 0
local get = sync.oncevalue(function() calls = calls + 1 runtime.gosched() return "a", nil, "c" end)
for _ = 1, 5 do wg:go(function() assert(select("#", get()) == 3) end) end
wg:wait()
print(calls, get())                          -- expect: 1	a	nil	c
local bad = sync.oncevalue(function() calls = calls + 1 error("no", 0) end)
print(pcall(bad)) print(pcall(bad)) print(calls)
-- expect: false	no
-- expect: false	no
-- expect: 2

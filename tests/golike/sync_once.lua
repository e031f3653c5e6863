-- once runs its function once, also when it raises, calls back or blocks; the others wait for its end.
-- Protects: stdlib/synclib.c (once, oncevalue).
local wg, n = sync.waitgroup(), atomic.int()
for _ = 1, 50 do
  local once, done = sync.once(), false
  for _ = 1, 10 do
    wg:go(function()
      once(function() n:add(1) runtime.gosched() done = true end)
      assert(done, "did not wait for the first")
    end)
  end
  wg:wait()
end
print(n:load())                                 -- expect: 50
local failing, calls = sync.once(), 0
print(pcall(failing, function() calls = calls + 1 error("e", 0) end)) -- expect: false	e
print(pcall(failing, function() calls = calls + 1 end), calls)        -- expect: true	1
local inner, outer = sync.once(), sync.once()
outer(function() inner(function() calls = calls + 10 end) end)
print(calls)                                    -- expect: 11
local value = sync.oncevalue(function() time.sleep(0.001) calls = calls + 100 return {calls} end)
local first = value()
for _ = 1, 10 do wg:go(function() assert(value() == first) end) end
wg:wait()
print(first[1], calls)                          -- expect: 111	111
local bad = sync.oncevalue(function() calls = calls + 1000 error("v", 0) end)
print(pcall(bad)) print(pcall(bad)) print(calls)
-- expect: false	v
-- expect: false	v
-- expect: 1111
-- A goroutine that ends inside (goexit) is the end of the first call, too.
local gone = sync.once()
wg:go(function() gone(function() runtime.goexit() end) end)
wg:wait()
gone(function() error "twice" end)
print "ok"                                      -- expect: ok

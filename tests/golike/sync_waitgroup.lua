-- Wait groups: barriers with many, used again and again, misuse that leaves them usable, wait by many, and the counting
-- of goroutines that end by an error caught elsewhere or by goexit.
-- Protects: runtime/sync.c (WaitGroup), stdlib/synclib.c.
local function try(f, ...) local ok, e = pcall(f, ...) return ok or (e:gsub("^[^:]*:%d+: ", "")) end
local wg = sync.waitgroup()
print(try(wg.done, wg))                 -- expect: negative WaitGroup counter
print(try(wg.add, wg, -3))              -- expect: negative WaitGroup counter
wg:add(2)
print(try(wg.add, wg, -3))              -- expect: negative WaitGroup counter
wg:done() wg:done() wg:wait()           -- still counts right
for round = 1, 5 do -- reused at once by waiters of the round before
  local n, exited, ready = 16, chan(16), sync.waitgroup()
  wg:add(n) ready:add(n)
  for _ = 1, n do go(function() wg:done() ready:wait() exited:send(true) end) end
  wg:wait()
  for _ = 1, n do
    assert(select(3, exited:tryrecv()) == false, "passed the barrier early")
    ready:done()
  end
  for _ = 1, n do exited:recv() end
end
for _ = 1, 200 do -- add by goroutines that the group counts already
  local n = atomic.int()
  for _ = 1, 2 do wg:go(function() n:add(1) wg:go(function() n:add(1) end) end) end
  wg:wait()
  assert(n:load() == 4)
end
local waiters, held = sync.waitgroup(), chan()
wg:go(function() held:recv() end)
for _ = 1, 10 do waiters:go(function() wg:wait() end) end
held:close()
waiters:wait()
wg:go(function() runtime.goexit() end)
wg:go(function() defer print("ended") runtime.goexit() end)
wg:go(function() pcall(error) end)
wg:wait()
-- expect: ended
-- negative while others wait: the error names it, and those who wait are still woken
local g2, woken = sync.waitgroup(), sync.waitgroup()
g2:add(1)
woken:go(function() g2:wait() end)
assert(not pcall(g2.add, g2, -2))
g2:done()
woken:wait()
print "ok" -- expect: ok

-- A mutex under a hammer, with and without trylock and blocking inside; it is handed on fairly to one that waits while
-- another one takes it again and again.
-- Protects: runtime/sync.c (Mutex: handing over to the longest waiter).
local N = os.getenv "LUNGODEBUG" and 100 or 1000
for _ = 1, 3 do
  local mu, inside, n, wg = sync.mutex(), 0, 0, sync.waitgroup()
  for g = 1, 10 do
    wg:go(function()
      for i = 1, N do
        if g % 3 ~= 0 or not mu:trylock() then mu:lock() end
        inside = inside + 1
        assert(inside == 1, "two are inside")
        if i % 97 == 0 then runtime.gosched() end
        n = n + 1
        inside = inside - 1
        mu:unlock()
      end
    end)
  end
  wg:wait()
  assert(n == 10 * N)
end
local mu, stop, slow = sync.mutex(), atomic.bool(), chan(1)
go(function() -- holds it most of the time
  while not stop:load() do
    mu:lock()
    time.sleep(0.0002)
    mu:unlock()
  end
end)
go(function()
  for _ = 1, 20 do
    time.sleep(0.0002)
    mu:lock()
    mu:unlock()
  end
  slow:send(true)
end)
local i = select {{recv = slow}, {recv = time.after(20)}}
stop:store(true)
print(i) -- expect: 1
-- An unlock by another goroutine than the one that locked is fine (no owner).
local other = sync.mutex()
other:lock()
go(function() other:unlock() end)
other:lock()
print(other:trylock()) -- expect: false

-- At most n inside; first come, first served; too much released is an error.
-- Protects: runtime/sync.c (Semaphore).
local sem, inside, most, wg = sync.semaphore(3), atomic.int(), 0, sync.waitgroup()
local mu = sync.mutex()
for _ = 1, 20 do
  wg:go(function()
    assert(sem:acquire() == true)
    local n = inside:add(1)
    mu:lock() if n > most then most = n end mu:unlock()
    runtime.gosched()
    inside:add(-1)
    sem:release()
  end)
end
wg:wait()
print(most <= 3, inside:load())                           -- expect: true	0
print(sem:tryacquire(3), sem:tryacquire(), sem:release(3)) -- expect: true	false
local _, e = pcall(function() sem:release() end)
print((e:gsub("^[^:]*:%d+: ", "")))                       -- expect: semaphore released more than acquired

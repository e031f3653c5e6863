-- A weighted semaphore: never more units out than there are; first come, first served, so a large request is not starved
-- by small ones; one that gives up leaves no hole.
-- Protects: runtime/sync.c (semaphore), stdlib/synclib.c.
local N = os.getenv "LUNGODEBUG" and 30 or 300
local sem, out, worst, wg = sync.semaphore(5), atomic.int(), atomic.int(), sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    for i = 1, N do
      local k = (g + i) % 5 + 1
      if g % 4 ~= 0 or not sem:tryacquire(k) then sem:acquire(k) end
      local now = out:add(k)
      if now > 5 then worst:store(now) end
      if i % 10 == 0 then runtime.gosched() end
      out:add(-k)
      sem:release(k)
    end
  end)
end
wg:wait()
print(worst:load(), sem:tryacquire(5), sem:tryacquire())  -- expect: 0	true	false
sem:release(5)
local stop, got = atomic.bool(), chan(1)
for _ = 1, 3 do
  wg:go(function() while not stop:load() do sem:acquire(1) runtime.gosched() sem:release(1) end end)
end
go(function() sem:acquire(5) got:send(true) sem:release(5) end)
print((select {{recv = got}, {recv = time.after(20)}}))   -- expect: 1
stop:store(true)
wg:wait()
-- A large request at the head that gives up lets those behind it in.
sem:acquire(3)
local ctx, cancel = context.withcancel(context.background())
local first, second = chan(1), chan(1)
local function waiting(n)
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[sync.Semaphore%]", "")) == n
end
go(function() first:send({sem:acquire(4, ctx)}) end)
waiting(1)
go(function() second:send(sem:acquire(2)) end)
waiting(2)
print(sem:tryacquire(1))                                  -- expect: false
cancel()
local r = <-first
print(r[1], r[2], <-second)                               -- expect: nil	context canceled	true
sem:release(3) sem:release(2)
print(sem:tryacquire(5), (pcall(sem.release, sem, 6)))    -- expect: true	false
-- A context that is over already: an error even if units are free.
sem:release(5)
print(sem:acquire(1, ctx))                                -- expect: nil	context canceled
print((sem:tryacquire(5)))                                -- expect: true

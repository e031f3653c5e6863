-- Who wants more units than there are waits for ever, unless its context ends, and holds up nobody meanwhile; a release of too
-- much is an error that changes nothing; zero units are always there.
-- Protects: runtime/sync.c (Semaphore).
local sem, wg = sync.semaphore(2), sync.waitgroup()
go(function() sem:acquire(3) error "three of two" end)
local ctx, cancel = context.withcancel(context.background())
local gave = chan(1)
go(function() gave:send {sem:acquire(5, ctx)} end)
repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[sync.Semaphore%]", "")) == 2
for _ = 1, 4 do
  wg:go(function()
    for i = 1, 200 do
      local k = i % 2 + 1
      sem:acquire(k)
      if i % 10 == 0 then runtime.gosched() end
      sem:release(k)
    end
  end)
end
wg:wait()
cancel()
local r = <-gave
print(r[1], r[2], sem:tryacquire(3))            -- expect: nil	context canceled	false
print(pcall(sem.release, sem, 1) or sem:tryacquire(2), pcall(sem.release, sem, 3)) -- expect: true	false	semaphore released more than acquired
sem:release(1)
print(pcall(sem.release, sem, 2) or sem:tryacquire(1), sem:tryacquire(1)) -- expect: true	false
sem:release(2)
local none = sync.semaphore(0)
print(none:acquire(0), none:tryacquire(0), none:tryacquire(), none:release(0)) -- expect: true	true	false

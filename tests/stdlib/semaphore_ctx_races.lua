-- Grants against cancels: never too many inside, no unit lost, nobody left waiting.
-- Protects: runtime/sync.c (sem_canceled, sem_end_acquire_context).
local bg = context.background()
local got, gaveup = atomic.int(), atomic.int()
for round = 1, 40 do
  local size = 1 + round % 4
  local sem, used, wg = sync.semaphore(size), atomic.int(), sync.waitgroup()
  local ctx, cancel = context.withcancel(bg)
  for i = 1, 12 do
    wg:go(function()
      local k = i % size + 1
      local c = i % 3 == 0 and context.withtimeout(ctx, 0.0002) or i % 3 == 1 and ctx or nil
      for _ = 1, 5 do
        local ok, err = sem:acquire(k, c)
        if ok then
          assert(used:add(k) <= size)
          runtime.gosched()
          used:add(-k)
          sem:release(k)
          got:add(1)
        else
          assert(err == c:err())
          gaveup:add(1)
        end
      end
    end)
  end
  wg:go(function() runtime.gosched() cancel() end)
  wg:wait()
  assert(sem:tryacquire(size) and used:load() == 0)
end
print(got:load() + gaveup:load())   -- expect: 2400

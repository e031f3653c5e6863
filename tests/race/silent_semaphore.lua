-- options: --race
-- release happens before the acquire that it lets in; an errgroup's goroutines end before wait, and its limit is a
-- semaphore.
local sem, wg, n = sync.semaphore(1), sync.waitgroup(), 0
for _ = 1, 20 do
  wg:go(function()
    sem:acquire()
    n = n + 1
    runtime.gosched()
    n = n + 1
    sem:release()
  end)
end
wg:wait()
assert(n == 40)
local ctx = context.background()
local group = sync.errgroup(ctx)
group:setlimit(1)
local list = {}
for i = 1, 10 do group:go(function() list[#list + 1] = i return true end) end
assert(group:wait())
assert(#list == 10)
local failing = sync.errgroup(ctx)
local why = {}
failing:go(function() why.text = "no" return nil, why end)
local ok, err = failing:wait()
assert(not ok and err == why and why.text == "no")
sem:acquire(1, ctx)
n = n + 1
go(function() n = n + 1 sem:release() end)
sem:acquire(1, ctx)
assert(n == 42)
-- two who release for one who waits
local two, x, y = sync.semaphore(2), 0, 0
local go_on = chan()
two:acquire(2)
go(function()
  go_on:recv()
  x = 1
  two:release()
end)
go(function()
  while runtime.numgoroutine() > 2 do runtime.gosched() end
  y = 1
  two:release()
end)
go_on <- true
two:acquire(2)
assert(x == 1 and y == 1)

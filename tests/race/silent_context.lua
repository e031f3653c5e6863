-- options: --race
-- What comes before cancel happens before those that see it: through done, err, cause, a context below, a deadline.
local t, wg = {}, sync.waitgroup()
local ctx, cancel = context.withcancelcause(context.background())
local below = context.withcancel(context.withvalue(ctx, "k", t))
local function look() assert(t.value == 1) end
wg:go(function() ctx:done():recv() look() end)
wg:go(function() below:done():recv() look() end)
wg:go(function() while not ctx:err() do runtime.gosched() end look() end)
wg:go(function() while not below:cause() do runtime.gosched() end look() end)
wg:go(function() local s = sync.semaphore(0) assert(not s:acquire(1, below)) look() end)
for _ = 1, 10 do runtime.gosched() end
t.value = 1
cancel("enough")
wg:wait()
local late = context.withtimeout(context.background(), 0.01)
t.value = 2
wg:go(function() late:done():recv() end)
wg:wait()
local d = ctx:done()
d:recv()
t.value = 3
-- a done channel that is made when all is over, by another goroutine than the one that receives
local over, stop = context.withcancel(context.background())
t.value = 4
go(function()
  t.value = 5
  stop()
end)
while runtime.numgoroutine() > 1 do runtime.gosched() end
go(function() over:done() end)
while runtime.numgoroutine() > 1 do runtime.gosched() end
over:done():recv()
assert(t.value == 5)

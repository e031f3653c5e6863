-- acquire(k, ctx): nil and the context's error when it ends first; order and units stay right.
-- Protects: runtime/sync.c (Semaphore), stdlib/synclib.c.
local bg = context.background()
local sem = sync.semaphore(3)
print(sem:acquire(2, bg), sem:acquire(nil, nil))             -- expect: true	true
local ctx, cancel = context.withcancel(bg)
cancel()
sem:release(3)
print(sem:acquire(1, ctx))                                   -- expect: nil	context canceled
print(sem:tryacquire(3))                                     -- expect: true
print(sem:acquire(1, context.withtimeout(bg, 0.005)))        -- expect: nil	context deadline exceeded
-- More than there ever will be: waits for the context alone, and holds nobody up.
local waits = sync.waitgroup()
local c9, cancel9 = context.withcancel(bg)
local res = chan(2)
waits:go(function() res:send({ sem:acquire(9, c9) }) end)
time.sleep(0.005)
sem:release(3)
print(sem:tryacquire(3))                                     -- expect: true
cancel9()
print(table.unpack(<-res, 1, 2))                             -- expect: nil	context canceled
-- The big request in front goes away: the small ones behind it fit and are woken, in order.
sem:release(1)
local order = chan(10)
local cbig, cancelbig = context.withcancel(bg)
local function settle() for _ = 1, 3 do time.sleep(0.002) end end
go(function() local ok, err = sem:acquire(3, cbig) order:send(tostring(ok) .. " " .. err) end)
settle()
for i = 1, 3 do
  go(function() order:send(sem:acquire(1, context.withcancel(bg)) and i) end)
  settle()
end
print(#order)                                                -- expect: 0
cancelbig()
local a, b = <-order, <-order
print(a == 1 and b or a)                                     -- expect: nil context canceled
settle()
print(#order)                                                -- expect: 0
sem:release() print(<-order) sem:release() print(<-order)
-- expect: 2
-- expect: 3
sem:release(3)
print(sem:tryacquire(3), sem:release(3))                     -- expect: true
local function try(f, ...) print((select(2, pcall(f, ...)):gsub("^[^:]*:%d+: ", ""))) end
try(function() sem:acquire(-1) end)        -- expect: bad argument #1 to 'acquire' (weight out of range)
try(function() sem:acquire(1, 5) end)      -- expect: bad argument #2 to 'acquire' (context expected, got number)
try(function() sem:release(1) end)         -- expect: semaphore released more than acquired
try(sync.semaphore, -1)                    -- expect: bad argument #1 to 'sync.semaphore' (size out of range)
-- Inside a C function that calls back, the thread waits the same way.
sem:acquire(3)
table.sort({ 2, 1 }, function(x, y)
  local ok, err = sem:acquire(1, context.withtimeout(bg, 0.003))
  assert(not ok and err == "context deadline exceeded")
  return x < y
end)
sem:release(3)

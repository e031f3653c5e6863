-- Those who wait are served first come, first served, on every primitive, also when the one before them gave up.
-- Protects: runtime/waitq.h, chan.c, sync.c, select.c.
local N = 12
local function waiting(state, n)
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[" .. state .. "%]", "")) == n
end
local function until_got(got, n) repeat runtime.gosched() until #got == n end
-- wait(i, got) is called by goroutine i and must block; serve(got) lets them go on, one by one or in a chain.
local function order(name, state, wait, serve)
  local got = chan(N)
  for i = 1, N do
    go(function() wait(i, got) end)
    waiting(state, i)
  end
  serve(got)
  for i = 1, N do
    local v = <-got
    if v ~= i then return print(name, "served " .. v .. ", not " .. i) end
  end
  print(name, "in order")
end
local c = chan()
order("receivers", "chan receive", function(i, got) c:recv() got:send(i) end,
  function(got) for i = 1, N do c:send(i) until_got(got, i) end end)
order("receivers get the values in order", "chan receive", function(i, got) local v = <-c got:send(v == i and i or -i) end,
  function(got) for i = 1, N do c:send(i) until_got(got, i) end end)
order("senders", "chan send", function(i, got) c:send(i) got:send(i) end,
  function(got) for i = 1, N do assert(<-c == i) until_got(got, i) end end)
local full = chan(2)
full:send(0) full:send(0)
order("senders to a full channel", "chan send", function(i, got) full:send(i) got:send(i) end,
  function(got) for i = 1, N do full:recv() until_got(got, i) end end)
order("selects that receive", "select", function(i, got) select case <-c then got:send(i) case <-chan() then end end,
  function(got) for i = 1, N do c:send(i) until_got(got, i) end end)
order("selects that send", "select", function(i, got) select case c <- i then got:send(i) case chan() <- 1 then end end,
  function(got) for i = 1, N do assert(<-c == i) until_got(got, i) end end)
local mu = sync.mutex()
mu:lock()
order("mutex", "sync.Mutex.Lock", function(i, got) mu:lock() got:send(i) mu:unlock() end, function() mu:unlock() end)
local rw = sync.rwmutex()
rw:rlock()
order("writers", "sync.RWMutex.Lock", function(i, got) rw:lock() got:send(i) rw:unlock() end, function() rw:runlock() end)
local sem = sync.semaphore(N)
sem:acquire(N)
order("semaphore", "sync.Semaphore", function(i, got) sem:acquire(N) got:send(i) sem:release(N) end, function() sem:release(N) end)
sem:acquire(N)
order("semaphore, small after large", "sync.Semaphore", function(i, got) sem:acquire(i % 2 == 0 and 1 or N) got:send(i) end,
  function(got) for i = 1, N do sem:release(i == 1 and N or i % 2 == 0 and N or 1) until_got(got, i) end end)
local cond = sync.cond(mu)
order("condition", "sync.Cond.Wait", function(i, got) mu:lock() cond:wait() got:send(i) mu:unlock() end,
  function(got) for i = 1, N do cond:signal() until_got(got, i) end end)
-- expect: receivers	in order
-- expect: receivers get the values in order	in order
-- expect: senders	in order
-- expect: senders to a full channel	in order
-- expect: selects that receive	in order
-- expect: selects that send	in order
-- expect: mutex	in order
-- expect: writers	in order
-- expect: semaphore	in order
-- expect: semaphore, small after large	in order
-- expect: condition	in order

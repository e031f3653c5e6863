-- The memory model's sentences about locks and about waiting for each other: what was written before the edge is found
-- after it, each of thousands of times. The way back goes through an atomic counter, so that each edge stands alone.
-- Protects: runtime/sync.c, stdlib/synclib.c, stdlib/errgroup.c.
local N = ROUNDS or os.getenv "LUNGODEBUG" and 60 or 2000 -- ROUNDS: race/silent_memory.lua
local function state()
  local v, s = 0, {n = 0}
  local function write(i) v = i s.n = i s[i % 8 + 1] = {i} s["k" .. i] = i s["k" .. i - 3] = nil end
  local function good(i) return v == i and s.n == i and s[i % 8 + 1][1] == i and s["k" .. i] == i and s["k" .. i - 3] == nil end
  return write, good
end
local function await(counter, i) -- with a pause if it takes long: there may be more processors than CPUs
  local spins = 0
  while counter:load() < i do
    spins = spins + 1
    if spins > 1000 then time.sleep(1e-5) elseif spins > 50 then runtime.gosched() end
  end
end
-- In round i one goroutine calls before(i), writes, and calls give(i), the other then calls take(i) and looks.
local function edge(name, give, take, before)
  local write, good = state()
  local looked, begun, wg = atomic.int(), atomic.int(), sync.waitgroup()
  wg:go(function()
    for i = 1, N do
      if before then before(i) end
      begun:store(i)
      write(i)
      give(i)
      await(looked, i)
    end
  end)
  wg:go(function()
    for i = 1, N do
      if before then await(begun, i) end
      take(i)
      assert(good(i), name)
      looked:store(i)
    end
  end)
  wg:wait()
end
-- Unlock number n happens before the return of lock number m > n. Each goroutine hands on by unlocking what it locked.
local function sections(name, lock, unlock, try)
  local t, v, wg = {n = 0}, 0, sync.waitgroup()
  for g = 1, 4 do
    wg:go(function()
      for i = 1, N do
        if not (try and i % 3 == 0 and try()) then lock() end
        assert(t.n == v and (v == 0 or t["k" .. v] == v), name)
        t["k" .. v] = nil
        v = v + 1
        t.n = v
        t["k" .. v] = v
        if i % 50 == g then runtime.gosched() end
        unlock()
      end
    end)
  end
  wg:wait()
  assert(v == 4 * N, name)
end
local mu, rw, sem = sync.mutex(), sync.rwmutex(), sync.semaphore(3)
sections("mutex", function() mu:lock() end, function() mu:unlock() end, function() return mu:trylock() end)
sections("rwmutex", function() rw:lock() end, function() rw:unlock() end, function() return rw:trylock() end)
sections("semaphore", function() sem:acquire(3) end, function() sem:release(3) end, function() return sem:tryacquire(3) end)
sections("semaphore with context", function() sem:acquire(3, context.background()) end, function() sem:release(3) end)
mu:lock()
edge("a mutex that another goroutine locked", function() mu:unlock() end, function(i)
  if i % 2 == 0 then mu:lock() else while not mu:trylock() do runtime.gosched() end end
end)
mu:unlock()
-- rlock comes after the unlock before it, and its runlock before the next lock.
rw:lock()
edge("unlock happens before rlock", function() rw:unlock() end, function(i)
  if i % 2 == 0 then rw:rlock() else while not rw:tryrlock() do runtime.gosched() end end
end, function(i) if i > 1 then rw:runlock() rw:lock() end end)
edge("runlock happens before lock", function() rw:runlock() end, function() rw:lock() end, function(i)
  if i > 1 then rw:unlock() rw:rlock() end
end)
rw:unlock()
-- A failed trylock orders nothing and leaves nothing.
mu:lock() assert(not mu:trylock()) mu:unlock()
assert(mu:trylock()) mu:unlock()
-- The end of once's function happens before every call returns.
local onces, values, flights = {}, {}, sync.singleflight()
for i = 1, N do onces[i] = sync.once() end
for round = 1, N // 4 do
  local write, good = state()
  local write_value, good_value = state()
  local once, get = onces[round], sync.oncevalue(function() write_value(round) return {round} end)
  local wg = sync.waitgroup()
  for g = 1, 3 do
    wg:go(function()
      once(write, round)
      assert(good(round), "once")
      assert(get()[1] == round and good_value(round), "oncevalue")
      assert(flights:run("k", function() return {round} end)[1] == round, "singleflight")
    end)
  end
  wg:wait()
end
-- done happens before the end of wait, for everybody who waits.
local groups = {}
for i = 1, N do groups[i] = sync.waitgroup() groups[i]:add(1) end
edge("done happens before wait returns", function(i) groups[i]:done() end, function(i) groups[i]:wait() end)
for round = 1, N // 4 do
  local sum, wg = {}, sync.waitgroup()
  for g = 1, 3 do wg:go(function() sum[g] = round end) end
  wg:wait()
  assert(sum[1] == round and sum[2] == round and sum[3] == round, "the end of a goroutine of wg:go")
  local g = sync.errgroup()
  for k = 1, 3 do g:go(function() sum[k] = -round if k == 2 and round % 3 == 0 then error(sum, 0) end end) end
  local ok, err = g:wait()
  assert(sum[1] == -round and sum[2] == -round and sum[3] == -round and (ok or err == sum), "the end of a goroutine of an errgroup")
end
-- The signal or broadcast happens before the wait returns that it ends.
for _, wake in ipairs {"signal", "broadcast"} do
  local cond, at = sync.cond(mu), 0
  edge(wake, function(i)
    mu:lock()
    at = i
    cond[wake](cond)
    mu:unlock()
  end, function(i)
    mu:lock()
    while at < i do cond:wait() end
    mu:unlock()
  end)
end
-- release happens before the acquire that it lets in.
local handed = sync.semaphore(1)
handed:acquire()
edge("release happens before acquire", function() handed:release() end, function(i)
  if i % 2 == 0 then handed:acquire() else while not handed:tryacquire() do runtime.gosched() end end
end)
print "ok" -- expect: ok

-- Readers on all processors, whatever the mutex does to keep them apart: what they see, who may unlock, what is an error.
-- (tests/cli/rwspread.sh runs this with readers that are spread from the first on.)
-- Protects: runtime/rwmutex.c.
local N = os.getenv "LUNGODEBUG" and 300 or 3000
local READERS = 4

-- Makes readers meet, so that on several processors the mutex is likely spread in the end. Nobody holds it afterwards.
local function meet(rw)
  local wg = sync.waitgroup()
  for _ = 1, READERS do
    wg:go(function()
      for _ = 1, N do
        rw:rlock()
        rw:runlock()
      end
    end)
  end
  wg:wait()
end
local function met() local rw = sync.rwmutex() meet(rw) return rw end
local function error_of(f, ...) return select(2, pcall(f, ...)) end

do -- readers see nothing half done; a writer gets in though readers never stop
  local rw, wg, a, b, bad, stop = met(), sync.waitgroup(), 0, 0, atomic.int(), atomic.bool()
  for _ = 1, READERS do
    wg:go(function()
      while not stop:load() do
        rw:rlock()
        local x = a
        for _ = 1, 20 do end
        if x ~= b then bad:add(1) end
        rw:runlock()
      end
    end)
  end
  for i = 1, 200 do
    if i % 3 ~= 0 or not rw:trylock() then rw:lock() end
    a = a + 1
    for _ = 1, i % 50 do end
    b = b + 1
    rw:unlock()
    if i % 40 == 0 then runtime.gosched() end
  end
  stop:store(true)
  wg:wait()
  print(a, b, bad:load())                              -- expect: 200	200	0
end

do -- spread or not, the number of readers is exact
  local rw = met()
  print(error_of(rw.runlock, rw))                      -- expect: unlock of unlocked rwmutex
  print(rw:trylock(), rw:tryrlock(), rw:trylock())     -- expect: true	false	false
  print(error_of(rw.runlock, rw))                      -- expect: unlock of unlocked rwmutex
  rw:unlock()
  print(error_of(rw.unlock, rw))                       -- expect: unlock of unlocked rwmutex
  meet(rw)
  rw:rlock()
  print(rw:trylock(), error_of(rw.unlock, rw))         -- expect: false	unlock of unlocked rwmutex
  meet(rw)
  print(rw:trylock())                                  -- expect: false
  rw:runlock()
  print(error_of(rw.runlock, rw), rw:trylock())        -- expect: unlock of unlocked rwmutex	true
end

do -- locks have no owner: others unlock, just as often as it was locked
  local rw, wg, held, done, failed = met(), sync.waitgroup(), chan(), atomic.int(), atomic.int()
  for _ = 1, READERS do
    wg:go(function()
      for _ = 1, 50 do
        rw:rlock()
        held:send(true)
      end
    end)
    wg:go(function()
      for _ = 1, 50 do
        held:recv()
        rw:runlock()
        done:add(1)
      end
    end)
  end
  wg:wait()
  print(done:load(), rw:trylock())                     -- expect: 200	true
  rw:unlock()
  for _ = 1, 40 do rw:rlock() end
  for _ = 1, READERS do
    wg:go(function()
      for _ = 1, 20 do
        if not pcall(rw.runlock, rw) then failed:add(1) end
        runtime.gosched()
      end
    end)
  end
  wg:wait()
  print(failed:load(), rw:trylock())                   -- expect: 40	true
end

do -- a condition asks whether its locker, the reader's side, is locked
  local rw = met()
  local rl = rw:rlock()
  rw:runlock()
  local c = sync.cond(rl)
  print(error_of(c.wait, c))                           -- expect: unlock of unlocked rwmutex
  meet(rw)
  print(error_of(c.wait, c))                           -- expect: unlock of unlocked rwmutex
  local waits = chan(1)
  go(function() rl:lock() waits:send(true) c:wait() rl:unlock() waits:send(true) end)
  waits:recv()
  rw:lock() -- the waiter has unlocked
  rw:unlock()
  c:signal()
  waits:recv()
  print(rw:trylock())                                  -- expect: true
end

do -- mutexes die while they are spread, with what belongs to them
  for _ = 1, 20 do
    local rw, wg = sync.rwmutex(), sync.waitgroup()
    for _ = 1, 2 do wg:go(function() for _ = 1, 60 do rw:rlock() rw:runlock() end end) end
    wg:wait()
    rw:rlock()
    if math.random(2) == 1 then collectgarbage() end
    rw:runlock()
    assert(rw:trylock())
  end
  collectgarbage()
end

do -- processors come and go
  local rw, wg, stop, a, b, bad = met(), sync.waitgroup(), atomic.bool(), 0, 0, atomic.int()
  local before = runtime.gomaxprocs()
  for i = 1, 2 * READERS do
    wg:go(function()
      while not stop:load() do
        rw:rlock()
        if a ~= b then bad:add(1) end
        if i % 3 ~= 0 then runtime.gosched() end -- and goes on elsewhere
        rw:runlock()
      end
    end)
  end
  for i, procs in ipairs {1, 8, 2, 16, 4, 1, 3, 32, 2} do
    runtime.gomaxprocs(procs)
    runtime.gosched()
    if i % 2 == 0 then
      rw:lock()
      a = a + 1
      runtime.gomaxprocs(i)
      b = b + 1
      rw:unlock()
    end
  end
  stop:store(true)
  wg:wait()
  runtime.gomaxprocs(before)
  print(a, bad:load(), rw:trylock())                   -- expect: 4	0	true
end

-- All readers may be inside at once; a writer is alone; one that waits keeps new readers out; the counts of who is inside
-- are never wrong under a hammer of both with try operations.
-- Protects: runtime/rwmutex.c.
for _, n in ipairs {1, 3, 10} do
  local rw, inside, go_on, wg = sync.rwmutex(), chan(), chan(), sync.waitgroup()
  for _ = 1, n do
    wg:go(function() local _ <close> = rw:rlock() inside:send(true) go_on:recv() end)
  end
  for _ = 1, n do inside:recv() end -- all are inside
  assert(not rw:trylock() and rw:tryrlock())
  rw:runlock()
  go_on:close()
  wg:wait()
end
local N = os.getenv "LUNGODEBUG" and 50 or 300
for _, readers in ipairs {1, 3, 10} do
  local rw, activity, wg = sync.rwmutex(), atomic.int(), sync.waitgroup()
  local function reader(try)
    for _ = 1, N do
      if not try or not rw:tryrlock() then rw:rlock() end
      local n = activity:add(1)
      assert(n >= 1 and n < 10000, n)
      for _ = 1, 30 do end
      activity:add(-1)
      rw:runlock()
    end
  end
  local function writer(try)
    for _ = 1, N do
      if not try or not rw:trylock() then rw:lock() end
      assert(activity:add(10000) == 10000)
      for _ = 1, 30 do end
      activity:add(-10000)
      rw:unlock()
    end
  end
  wg:go(writer, false)
  for i = 1, readers do wg:go(reader, i % 2 == 0) end
  wg:go(writer, true)
  wg:wait()
  assert(activity:load() == 0)
end
-- A writer that waits comes before readers that arrive after it.
local rw, order = sync.rwmutex(), chan(3)
local function waiting(what, n)
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[sync.RWMutex." .. what .. "%]", "")) == n
end
rw:rlock()
go(function() rw:lock() order:send "writer" rw:unlock() end)
waiting("Lock", 1)
go(function() rw:rlock() order:send "reader" rw:runlock() end)
waiting("RLock", 1)
assert(not rw:tryrlock(), "a reader passed a writer that waits")
rw:runlock()
print(<-order, <-order) -- expect: writer	reader

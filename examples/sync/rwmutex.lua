-- A read-write lock: many readers at once, or one writer alone.
-- Expect: readers were together; the sum is that of all writes.
local rw, wg = sync.rwmutex(), sync.waitgroup()
local value, readers, most = 0, atomic.int(0), atomic.int(0)

for _ = 1, 4 do
  wg:go(function()
    local _ <close> = rw:rlock()
    local now = readers:add(1)
    if now > most:load() then most:store(now) end
    time.sleep(0.05)
    readers:add(-1)
  end)
end
wg:wait()

for i = 1, 10 do
  wg:go(function()
    local _ <close> = rw:lock()
    value = value + i
  end)
  wg:go(function()
    rw:rlock()
    local v = value
    rw:runlock()
    assert(v >= 0 and v <= 55)
  end)
end
wg:wait()
print("readers together:", most:load() > 1)
print("value:", value)

-- A read-write lock: many readers at once, or one writer alone.
-- Expect: readers were together; the sum is that of all writes.
local rw, wg, all = sync.rwmutex(), sync.waitgroup(), sync.waitgroup()
local value, readers = 0, atomic.int(0)

all:add(4)
for _ = 1, 4 do
  wg:go(function()
    local _ <close> = rw:rlock()
    readers:add(1)
    all:done()
    all:wait() -- each keeps the lock until the last one has it too
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
print("readers together:", readers:load())
print("value:", value)

-- options: --race
-- expect-status: 66
-- Locks that do not help: after unlock, two different ones, a write under a read lock.
-- expect-stderr: \(field 'late'\)
-- expect-stderr: \(field 'two'\)
-- expect-stderr: \(field 'shared'\)
-- expect-stderr: \(field 'before'\)
-- expect-stderr: ^Found 4 data races$
local t, wg = {late = 0, two = 0, shared = 0, before = 0}, sync.waitgroup()
local mu, rw = sync.mutex(), sync.rwmutex()
for i = 1, 2 do
  local own = sync.mutex()
  wg:go(function()
    t.before = i
    mu:lock()
    mu:unlock()
    t.late = i
  end)
  wg:go(function()
    own:lock()
    t.two = i
    own:unlock()
  end)
  wg:go(function()
    rw:rlock()
    t.shared = i
    rw:runlock()
  end)
end
wg:wait()

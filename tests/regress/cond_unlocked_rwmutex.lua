-- cond:wait with a locker that is not locked is an error and swallows no later signal, also if it is an rwmutex.
-- Cause: the error came after the ticket was taken, which the next signal was then spent on.
-- `exclusive` can be locked only after the waiter let go of the locker, and that is after it took its ticket.
local function try(locker, name, exclusive)
  local cond, done = sync.cond(locker), chan()
  print(select(2, pcall(cond.wait, cond)))
  local waiting = false
  go(function()
    locker:lock()
    waiting = true
    cond:wait()
    locker:unlock()
    done:send(name)
  end)
  repeat
    runtime.gosched()
    exclusive:lock()
    local yes = waiting
    exclusive:unlock()
  until yes
  cond:signal()
  print((done:recv()))
end
local mu, rw = sync.mutex(), sync.rwmutex()
try(mu, "mutex", mu)                   -- expect: unlock of unlocked mutex
                                       -- expect: mutex
try(rw, "rwmutex", rw)                 -- expect: unlock of unlocked rwmutex
                                       -- expect: rwmutex
local rl = rw:rlock()
rw:runlock()
try(rl, "read lock", rw)               -- expect: unlock of unlocked rwmutex
                                       -- expect: read lock

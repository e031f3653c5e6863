-- options: --race
-- A signal happens before the end of the wait that it ends, also where no lock says so: for one that waits, for one that is
-- still unlocking (by a method, or by a mutex), by signal and by broadcast.
local t = {n = 0, at = 0}
local none = function() end
local function ended() repeat runtime.gosched() until runtime.numgoroutine() == 1 end -- that is no edge
for _, wake in ipairs {"signal", "broadcast"} do
  local waiting = sync.cond {lock = none, unlock = none}
  go(function() waiting:wait() t.n = t.n + 1 end)
  repeat runtime.gosched() until runtime.stack(true):find("[sync.Cond.Wait]", 1, true)
  t.n = t.n + 1
  waiting[wake](waiting)
  ended()
  t = {n = 0, at = 0}
  local leaving
  leaving = sync.cond {lock = none, unlock = function()
    go(function() t.n = t.n + 1 leaving[wake](leaving) end)
    ended()
  end}
  leaving:wait()
  t.n = t.n + 1
  assert(t.n == 2)
end
-- Many signals for each wait: now and then one comes between the ticket and the queue.
local mu, ack, again = sync.mutex(), chan(1), chan(1)
local c = sync.cond(mu)
local one = runtime.gomaxprocs() == 1 -- nobody else could come in between
local N = os.getenv "LUNGODEBUG" and 300 or 5000
go(function()
  mu:lock()
  for i = 1, N do
    <-again
    c:wait()
    assert(t.at == i)
    ack <- true
  end
end)
for i = 1, N do
  again <- true
  t.at = i
  repeat
    if i % 2 == 0 then c:signal() else c:broadcast() end
    local _, _, ready = ack:tryrecv()
    if not ready and (i % 10 == 0 or one) then runtime.gosched() end
  until ready
end

-- options: --race
-- expect-status: 66
-- What comes after the signal is not before the end of the wait; nor does a signal that nobody waits for order anything.
-- expect-stderr: \(field 'after'\)
-- expect-stderr: \(field 'broadcast'\)
-- expect-stderr: \(field 'lost'\)
-- expect-stderr: ^Found 3 data races$
local t, wg = {after = 0, broadcast = 0, lost = 0}, sync.waitgroup()
local none = function() end
local c = sync.cond {lock = none, unlock = none}
local function waiting() repeat runtime.gosched() until runtime.stack(true):find("[sync.Cond.Wait]", 1, true) end
wg:go(function() c:wait() t.after = 1 end)
waiting()
c:signal()
t.after = 2
wg:wait()
wg:go(function() c:wait() t.broadcast = 1 end)
waiting()
c:broadcast()
t.broadcast = 2
wg:wait()
wg:go(function() t.lost = 1 c:signal() end)
repeat runtime.gosched() until runtime.numgoroutine() == 1
t.lost = 2
wg:wait()

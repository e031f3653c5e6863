-- options: --race
-- Modules loaded by several goroutines: what a module sets up happens before whoever requires it later.
local wg = sync.waitgroup()
package.preload.counter = function()
  local m = {n = 0, mu = sync.mutex()}
  function m.inc() local _ <close> = m.mu:lock() m.n = m.n + 1 end
  return m
end
local c = require "counter"
for _ = 1, 10 do wg:go(function() require("counter").inc() require("counter").inc() end) end
wg:wait()
assert(c.n == 20)
-- by who comes when it is loaded already, from a goroutine that nothing orders before us
local state = {}
go(function() return state end)
while runtime.numgoroutine() > 1 do runtime.gosched() end
package.preload.late = function()
  state.n = 1
  return {n = function() return state.n end}
end
go(function() require "late" end)
while runtime.numgoroutine() > 1 do runtime.gosched() end
assert(require("late").n() == 1)

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

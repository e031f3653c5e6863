-- Debian: lua-cqueues. A controller of coroutines with sleeps and a condition. The package keeps one running controller
-- for the whole state, so one user at a time.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local mu = sync and sync.mutex()
return { version = tostring(cqueues.VERSION), use = function(id)
  local guard <close> = mu and mu:lock() or nil
  local cq, cond, out = cqueues.new(), condition.new(), {}
  local ready = false
  cq:wrap(function()
    while not ready do cond:wait() end
    out[#out + 1] = "woken"
  end)
  cq:wrap(function()
    cqueues.sleep(0.001)
    ready = true
    out[#out + 1] = "signal"
    cond:signal()
  end)
  cq:wrap(function() error("inside", 0) end)
  local errs = 0
  while not cq:empty() do
    local ok, e = cq:step(0.1)
    if not ok then errs = errs + 1 end
  end
  return table.concat(out, " ") .. " " .. errs
end }

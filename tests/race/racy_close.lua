-- options: --race
-- expect-status: 66
-- Deferred functions, __close and finalizers are accesses as any others.
-- expect-stderr: \(variable 'deferred'\)
-- expect-stderr: \(variable 'closed'\)
-- expect-stderr: \(variable 'finalized'\)
-- expect-stderr: in metamethod 'close'$
-- expect-stderr: ^Found 3 data races$
local deferred, closed, finalized = 0, 0, 0
local function count() deferred = deferred + 1 end
local mt = {__close = function() closed = closed + 1 end}
local seen = atomic.int(0)
for _ = 1, 2 do
  go(function()
    local _ <close> = setmetatable({}, mt)
    defer count()
  end)
end
local wg = sync.waitgroup()
wg:go(function() return finalized end) -- it is a shared variable from now on
wg:wait()
setmetatable({}, {__gc = function() finalized = finalized + 1 seen:add(1) end})
finalized = 5
while seen:load() == 0 or runtime.numgoroutine() > 1 do
  runtime.gosched()
  for i = 1, 2000 do local _ = {i} end
end

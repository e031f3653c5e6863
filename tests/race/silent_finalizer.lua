-- options: --race
-- A finalizer comes after all that was done to its object, and after setmetatable; addresses and keys are used again.
local log, mu, wg = {}, sync.mutex(), sync.waitgroup()
local names = {a = 1}
local mt = {__gc = function(o)
  assert(names.a == 1)
  local _ <close> = mu:lock()
  log[#log + 1] = o.n
  o.n = nil
end}
for i = 1, 50 do
  wg:go(function()
    local shared = setmetatable({n = i}, mt)
    local inner = sync.waitgroup()
    inner:go(function() shared.n = shared.n + 1 end)
    inner:wait()
  end)
end
wg:wait()
for _ = 1, 20 do
  collectgarbage()
  local fresh = {}
  for i = 1, 100 do fresh[i] = {} wg:go(function() fresh[i][{}] = i fresh[i].x = 1 end) end
  wg:wait()
end

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
-- what was written to a dead object, by a goroutine that nothing orders before us, is not held against its successor
local function alone() while runtime.numgoroutine() > 1 do runtime.gosched() end end
for _ = 1, 5 do
  for i = 1, 100 do
    go(function()
      local t = {}
      go(function() t.x = i end)
    end)
  end
  alone()
  collectgarbage()
  local fresh = {}
  for i = 1, 300 do fresh[i] = {} end
  wg:go(function() for i = 1, 300 do fresh[i].x = 1 end end)
  wg:wait()
end
-- what comes before setmetatable happens before the finalizer, in a goroutine that knows nothing else
local known, ran = {}, atomic.int()
go(function() return known end)
alone()
known.value = 1
setmetatable({}, {__gc = function() assert(known.value == 1) ran:add(1) end})
while ran:load() == 0 do
  runtime.gosched()
  for i = 1, 2000 do local _ = {i} end
end

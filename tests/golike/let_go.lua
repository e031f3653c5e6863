-- What is taken out of a map, a pool, a channel, an atomic value, or is handed to one that waits, is not held any longer:
-- nothing of it is left in memory when the program lets go, though the container lives on.
-- And a pool gives back what it has too much of.
-- Protects: stdlib/syncdata.c, runtime/chan.c (the ring), stdlib/atomiclib.c, the traces of their objects.
local N = 50
local weak = setmetatable({}, {__mode = "k"})
local function thing() local t = {} weak[t] = true return t end
local function check(name)
  collectgarbage() collectgarbage()
  local n = 0
  for _ in pairs(weak) do n = n + 1 end
  if n > 2 then error(name .. " holds " .. n) end -- a register or two may
  for t in pairs(weak) do weak[t] = nil end
end
local function isolated(f) f() end -- its registers are dead afterwards
local m, p, c, v, u = sync.map(), sync.pool(), chan(N), atomic.value(), chan()
isolated(function() for i = 1, N do local k = thing() m:store(k, thing()) m:delete(k) end end)
check "a map whose keys were deleted"
isolated(function() for i = 1, N do m:store(i, thing()) end for i = 1, N do m:loadanddelete(i) end end)
check "a map whose values were taken out"
isolated(function() for i = 1, N do m:store("k", thing()) m:swap("k", thing()) end m:store("k", nil) end)
check "a map whose values were replaced"
isolated(function() for i = 1, N do p:put(thing()) end for i = 1, N do p:get() end end)
check "a pool that is empty"
isolated(function() for i = 1, N do c:send(thing()) end for i = 1, N do c:recv() end end)
check "a channel that is empty"
isolated(function()
  for i = 1, N do go(function() u:send(thing()) end) end
  for i = 1, N do u:recv() end
  while runtime.numgoroutine() > 1 do runtime.gosched() end
end)
check "a channel that senders waited for"
isolated(function()
  for i = 1, N do go(function() select case <-u then case <-c then end end) end
  for i = 1, N do u:send(thing()) end
  while runtime.numgoroutine() > 1 do runtime.gosched() end
end)
check "a select that is over"
isolated(function() for i = 1, N do v:store(thing()) v:cas(v:load(), thing()) v:swap(thing()) end v:store(nil) end)
check "an atomic value"
isolated(function() for i = 1, N do local t = time.afterfunc(3600, thing) t:stop() local x = thing() time.afterfunc(3600, function() return x end):stop() end end)
check "a timer that was stopped"
isolated(function() for i = 1, N do sync.once()(thing) sync.singleflight():run(i, thing) end end)
check "once"
isolated(function()
  local parent, cancel = context.withcancel(context.background())
  for i = 1, N do context.withvalue(parent, thing(), thing()) local _, stop = context.withcancelcause(parent) stop(thing()) end
  cancel()
end)
check "a context"
isolated(function()
  local wg = sync.waitgroup()
  for i = 1, N do local t = thing() wg:go(function(x) assert(x == t) end, t) end
  wg:wait()
  while runtime.numgoroutine() > 1 do runtime.gosched() end
end)
check "goroutines that ended"
assert(#m == 0 and p:get() == nil and #c == 0 and v:load() == nil)
-- A map's function of range may range itself and delete; after that it is empty.
for i, word in ipairs {"one", "two", "three"} do m:store(i, word) end
local inner = 0
m:range(function(key)
  m:range(function(k, w)
    inner = inner + 1
    assert(m:load(k) == w)
    assert(select(2, m:loadorstore("new", "x")) == false and m:loadanddelete("new") == "x")
  end)
  m:delete(key)
end)
local left = 0
m:range(function() left = left + 1 end)
print(inner, left, #m) -- expect: 6	0	0
-- What a pool holds survives one collection, and not the second if nobody needed it meanwhile; what is in use stays.
collectgarbage "stop"
local made = 0
local pool = sync.pool(function() made = made + 1 return thing() end)
isolated(function()
  local taken = {}
  for i = 1, N do taken[i] = pool:get() end
  for i = 1, N do pool:put(taken[i]) end
end)
local function held() local n = 0 for _ in pairs(weak) do n = n + 1 end return n end
collectgarbage()
print(made, held())                        -- expect: 50	50
for _ = 1, 5 do -- ten are needed all the time
  isolated(function()
    local taken = {}
    for i = 1, 10 do taken[i] = pool:get() end
    for i = 1, 10 do pool:put(taken[i]) end
  end)
  collectgarbage()
end
print(made, held() <= 12)                  -- expect: 50	true
collectgarbage() collectgarbage()
print(held() <= 2, (pool:get() or {}) ~= nil, made) -- expect: true	true	51

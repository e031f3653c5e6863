-- gc_storm.lua [ROUNDS]: garbage, collections, weak tables, finalizers and parked goroutines with all processors busy.
local rounds = tonumber(arg[1]) or 10
local function churn(n) local t = {} for i = 1, n do t[i % 50 + 1] = {i, tostring(i), function() return i end} end return t end
for round = 1, rounds do
  local wg = sync.waitgroup()
  -- parked goroutines hold values only in their stacks and waiters
  local gates, answers = {}, chan(100)
  for i = 1, 30 do
    local gate = chan()
    gates[i] = gate
    go function()
      local held = {i, {i * 2}}
      local s = "held" .. i
      local co = coroutine.wrap(function(x) local y = {x}; coroutine.yield(); return y[1] end)
      co({i})
      local v = <-gate
      assert(held[2][1] == i * 2 and s == "held" .. i and co()[1] == i and v[1] == i)
      answers <- i
    end()
  end
  local values = chan(50)
  for i = 1, 50 do values <- {("v"):rep(i)} end
  local weak = setmetatable({}, {__mode = "v"})
  local eph = setmetatable({}, {__mode = "k"})
  local finalized = atomic.int(0)
  for g = 1, 4 do
    wg:go(function()
      for i = 1, 40 do
        local t = churn(60)
        weak[g * 100 + i] = t
        eph[t] = {t}
        setmetatable({}, {__gc = function() finalized:add(1) end})
        if i % 13 == 0 then collectgarbage() end
        assert(t[1] and eph[t][1] == t)
      end
    end)
  end
  wg:go(function() for _ = 1, 5 do collectgarbage() collectgarbage("step") collectgarbage("count") end end)
  wg:go(function() for i = 1, 50 do local v = <-values; assert(#v[1] == i) end end)
  wg:wait()
  for i = 1, 30 do gates[i] <- {i} end
  local sum = 0
  for _ = 1, 30 do sum = sum + <-answers end
  assert(sum == 465)
  collectgarbage() collectgarbage()
  assert(next(eph) == nil, "an ephemeron survived")
  for _, v in pairs(weak) do error("a weak value survived") end
  for _ = 1, 100 do if finalized:load() == 160 then break end time.sleep(0.01) collectgarbage() end
  assert(finalized:load() == 160, "finalizers: " .. finalized:load())
end

-- shared_tables.lua [ROUNDS]: goroutines hammer one table: insert, delete, iterate, length, metatables. Nothing may
-- crash or hang, and nobody may lose a key that only he writes.
local rounds = tonumber(arg[1]) or 10
local G = 6
for round = 1, rounds do
  local t, wg = {}, sync.waitgroup()
  local index = {__index = function(_, k) return k end}
  for g = 1, G do
    wg:go(function()
      local mine = {}
      local x = g * 7919 + round
      for i = 1, 1500 do
        x = (x * 1103515245 + 12345) % 2147483648
        local r, key = x // 256 % 10, nil
        local n = x // 4096 % 60
        if n < 20 then key = n * G + g -- integers, array part: owner by remainder
        elseif n < 40 then key = "k" .. g .. "_" .. n
        elseif n < 50 then key = g + n / 100 -- floats
        else key = g * 1000000 + n * 1000 end
        if r < 5 then
          t[key] = i
          mine[key] = i
        elseif r < 8 then
          t[key] = nil
          mine[key] = nil
        else
          assert(rawget(t, key) == mine[key])
        end
        if i % 150 == 0 then
          if g == 1 then setmetatable(t, index) elseif g == 2 then setmetatable(t, nil) end
          local n = #t
          assert(math.type(n) == "integer" and n >= 0)
        end
        if i % 300 == 0 then
          local seen, count = {}, 0
          for k, v in next, t do
            assert(v ~= nil and not seen[k], "a key came twice")
            seen[k] = true
            count = count + 1
          end
          for k, v in pairs(mine) do assert(seen[k], "iteration missed an untouched key") end
          assert(count < 6 * 70)
        end
        if i % 500 == 0 then collectgarbage("step") end
      end
      for k, v in pairs(mine) do assert(rawget(t, k) == v, "a key was lost") end
    end)
  end
  wg:wait()
end
-- growth: disjoint ranges of the array part, everything is there afterwards
for round = 1, rounds do
  local t, wg = {}, sync.waitgroup()
  for g = 1, G do wg:go(function() for i = g, 6000, G do t[i] = i end end) end
  wg:wait()
  for i = 1, 6000 do assert(t[i] == i) end
  assert(#t == 6000)
  for g = 1, G do wg:go(function() for i = g, 6000, G do t[i] = nil end end) end
  wg:wait()
  assert(next(t) == nil)
end
-- table.insert and remove under a mutex; whole values without one
for round = 1, rounds do
  local t, mu, wg = {}, sync.mutex(), sync.waitgroup()
  local box = {v = {1, 1}}
  for g = 1, G do
    wg:go(function()
      for i = 1, 200 do
        do local _ <close> = mu:lock() table.insert(t, g); if i % 2 == 0 then table.remove(t, 1) end end
        box.v = {i, i}
        local v = box.v
        assert(v[1] == v[2])
      end
    end)
  end
  wg:wait()
  assert(#t == G * 100)
end
-- one writer each, all readers: global variables, upvalues, numbers that need boxes
do
  local up, wg = 0, sync.waitgroup()
  local values = {math.maxinteger, math.mininteger, 1 << 52, 0.5, "s", true, 1e300, -1}
  local allowed = {[0] = true}
  for _, v in ipairs(values) do allowed[v] = true end
  for g = 1, G do
    wg:go(function() for i = 1, 3000 * rounds do up = values[(i + g) % #values + 1]; assert(allowed[up]) end end)
  end
  wg:wait()
end

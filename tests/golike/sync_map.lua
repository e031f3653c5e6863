-- A sync.map behaves as a table under a lock would, for random operations; its iteration meets each key that stays once,
-- whatever others do; the function of range may use the map itself.
-- Protects: stdlib/syncdata.c (map).
math.randomseed(42)
local m, model = sync.map(), {}
for i = 1, os.getenv "LUNGODEBUG" and 1000 or 20000 do
  local k, v, op = math.random(30), i, math.random(8)
  local old = model[k]
  if op == 1 then assert(m:load(k) == old)
  elseif op == 2 then m:store(k, v) model[k] = v
  elseif op == 3 then
    local got, loaded = m:loadorstore(k, v)
    assert(got == (old or v) and loaded == (old ~= nil))
    model[k] = old or v
  elseif op == 4 then
    local got, loaded = m:loadanddelete(k)
    assert(got == old and loaded == (old ~= nil))
    model[k] = nil
  elseif op == 5 then m:delete(k) model[k] = nil
  elseif op == 6 then
    local got, loaded = m:swap(k, v)
    assert(got == old and loaded == (old ~= nil))
    model[k] = v
  elseif op == 7 then
    local right = math.random(2) == 1
    local done = m:compareandswap(k, right and old or -1, v)
    if old ~= nil then
      assert(done == right)
      if right then model[k] = v end
    else
      model[k] = m:load(k)
    end
  else
    local n, seen = 0, {}
    for key, value in pairs(m) do assert(not seen[key] and model[key] == value) seen[key] = true n = n + 1 end
    assert(n == #m)
  end
end
local SIZE, stop, wg = 200, atomic.bool(), sync.waitgroup()
local big = sync.map()
for i = 1, SIZE do big:store(i, 0) end
for g = 1, 3 do
  wg:go(function()
    local i = 0
    while not stop:load() do
      i = i + 1
      big:store(i % SIZE + 1, i)              -- keys that stay: other values
      big:store("g" .. g .. i % 50, i)        -- keys that come and go
      big:delete("g" .. g .. (i + 25) % 50)
      if i % 100 == 0 then runtime.gosched() end
    end
  end)
end
for _ = 1, 10 do
  local seen = {}
  big:range(function(k, v)
    if math.type(k) == "integer" then
      assert(not seen[k], "met twice")
      seen[k] = true
      big:loadorstore("nested", v) big:delete("nested") -- from inside
    end
    return true
  end)
  for i = 1, SIZE do assert(seen[i], "not met") end
end
stop:store(true)
wg:wait()
print "ok" -- expect: ok

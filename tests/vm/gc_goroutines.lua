-- Collections while several goroutines allocate: nothing that any of them holds is lost, weak tables lose what nobody
-- holds, and finalizers run (in a goroutine of their own, or before collectgarbage returns).
-- Protects: vm/gc.c, vm/gc_mark.c, vm/gc_weak.c, vm/gc_final.c.
local out, wg = chan(16), sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    local kept = {}
    for i = 1, 20000 do
      kept[i % 500 + 1] = { i, tostring(i), { g } }
      if i % 1000 == 0 then out:send({ g, kept[5] }) end
    end
    for _, v in ipairs(kept) do assert(v[2] == tostring(v[1]) and v[3][1] == g) end
  end)
end
go(function() wg:wait() out:close() end)
local n = 0
for v in out do
  assert(v[2][3][1] == v[1])
  n = n + 1
end
print(n)               -- expect: 160

local weak, finalized, done = setmetatable({}, { __mode = "k" }), atomic.int(0), sync.waitgroup()
for i = 1, 100 do
  done:go(function()
    weak[{}] = i
    setmetatable({}, { __gc = function() finalized:add(1) end })
  end)
end
done:wait()
collectgarbage()
collectgarbage()
print(next(weak))      -- expect: nil
while finalized:load() < 100 do runtime.gosched() end
print(finalized:load()) -- expect: 100

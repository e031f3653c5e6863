-- Many goroutines: the leak pass is shared out among all processors, and each one reached brings in others.
-- Protects: runtime/leaks.c (reach, by several workers at once), gc_mark.c.
roots = {}
local trees = (os.getenv("LUNGODEBUG") or ""):find("gcstress") and 3 or 150
local started = sync.waitgroup()
local function tree(c, depth) -- waits for c, and holds what two more wait for
  started:add()
  local a, b = depth > 0 and chan(), depth > 0 and chan()
  go(function()
    started:done()
    select case <-c then case <-c then end
    if a then a:close() b:close() end
  end)
  if depth > 0 then
    tree(a, depth - 1)
    tree(b, depth - 1)
  end
end
for i = 1, trees do
  roots[i] = chan()
  tree(roots[i], 5)
end
for i = 1, 10 do tree(chan(), 2) end
started:wait()
repeat runtime.gosched() until not runtime.stack(true):find("[runnable]", 1, true)
print(#runtime.leaks(), runtime.numgoroutine() == 63 * trees + 71)     -- expect: 70	true
for i = 1, #roots do roots[i]:close() end
repeat runtime.gosched() until runtime.numgoroutine() == 71
for i = 1, trees do roots[i] = nil end
print(#runtime.leaks())                             -- expect: 70

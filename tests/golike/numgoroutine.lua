-- The number of goroutines is that of those started and not ended, waiting ones included, as many as the dump shows; numbers
-- are not used twice; an ended goroutine is gone at once for who waited for it.
-- Protects: runtime/sched.c, runtime/report.c, stdlib/runtimelib.c.
local function dumped() return select(2, ("\n" .. runtime.stack(true)):gsub("\ngoroutine %d+ %[", "")) end
local function settle(n) while runtime.numgoroutine() ~= n do runtime.gosched() end end
assert(runtime.numgoroutine() == 1 and dumped() == 1)
local gate, ids, wg = chan(), chan(30), sync.waitgroup()
local mu = sync.mutex()
mu:lock()
for i = 1, 30 do
  wg:go(function()
    ids:send(runtime.goid())
    if i % 3 == 0 then gate:recv() elseif i % 3 == 1 then mu:lock() mu:unlock() else select case <-gate then case <-time.after(3600) then end end
  end)
end
local seen = {[runtime.goid()] = true}
for _ = 1, 30 do
  local id = <-ids
  assert(math.type(id) == "integer" and not seen[id])
  seen[id] = true
end
assert(runtime.numgoroutine() == 31 and dumped() == 31)
gate:close()
mu:unlock()
wg:wait()
settle(1)
assert(dumped() == 1)
-- The same id inside coroutines, pcall, metamethods and callbacks; another one in each goroutine that is started.
local id = runtime.goid()
assert(coroutine.wrap(runtime.goid)() == id and select(2, pcall(runtime.goid)) == id)
table.sort({2, 1}, function(a, b) assert(runtime.goid() == id) return a < b end)
for _ = 1, 100 do
  wg:go(function() assert(not seen[runtime.goid()]) end)
  wg:wait()
end
settle(1)
print(runtime.numgoroutine(), runtime.stack():find "^goroutine 1 %[running%]" ~= nil) -- expect: 1	true

-- Under full load everybody gets on: goroutines that compute without a call, that talk to each other all the time, that
-- hold read locks in turn, or sit below a C function, starve neither a late goroutine, a timer, a writer, nor a finalizer.
-- Protects: runtime/sched.c (global queue's turn), sysmon.c (preemption), sync.c.
local stop = atomic.bool()
local loads = {
  computing = function() for _ = 1, 6 do go(function() local x = 0 while not stop:load() do for i = 1, 1000 do x = x + i end end end) end end,
  talking = function()
    for _ = 1, 6 do
      local a, b = chan(), chan()
      go(function() while not stop:load() do a:send(1) b:recv() end a:close() end)
      go(function() for _ in a do b:send(1) end end)
    end
  end,
  yielding = function() for _ = 1, 6 do go(function() while not stop:load() do runtime.gosched() end end) end end,
  nested = function()
    for _ = 1, 4 do
      go(function()
        table.sort({2, 1}, function(a, b) while not stop:load() do runtime.gosched() end return a < b end)
      end)
    end
  end,
  nested_computing = function()
    for _ = 1, 3 do
      go(function() string.gsub("x", ".", function() while not stop:load() do for i = 1, 1000 do end end end) end)
    end
  end,
  spawning = function()
    local function again() if not stop:load() then go(again) end end
    for _ = 1, 6 do go(again) end
  end,
  buffered = function()
    local c = chan(100)
    for _ = 1, 3 do go(function() while not stop:load() do c:send(1) end end) end
    for _ = 1, 3 do go(function() while not stop:load() or #c > 0 do c:tryrecv() end end) end
  end,
}
for _, name in ipairs {"computing", "talking", "yielding", "nested", "nested_computing", "spawning", "buffered"} do
  stop:store(false)
  local before = runtime.numgoroutine()
  loads[name]()
  local got = chan(10)
  go(function() got:send "late goroutine" end)
  time.afterfunc(0.001, function() got:send "timer" end)
  go(function() time.sleep(0.001) got:send "sleeper" end)
  local rw, inside = sync.rwmutex(), chan(3)
  for _ = 1, 3 do
    go(function()
      inside:send(true)
      while not stop:load() do rw:rlock() runtime.gosched() rw:runlock() end
    end)
  end
  for _ = 1, 3 do inside:recv() end
  go(function() rw:lock() got:send "writer" rw:unlock() end)
  local missing = {["late goroutine"] = true, timer = true, sleeper = true, writer = true}
  local timeout = time.after(30)
  while next(missing) do
    select
    case v = <-got then missing[v] = nil
    case <-timeout then error(name .. " starved the " .. next(missing))
    end
  end
  stop:store(true)
  while runtime.numgoroutine() > before do time.sleep(0.0005) end
end
print "nobody starves" -- expect: nobody starves

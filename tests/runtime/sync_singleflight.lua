-- Calls with one key at one time run the function once; all get its value, or its error.
-- Protects: stdlib/synclib.c (singleflight).
local sf, calls, wg = sync.singleflight(), 0, sync.waitgroup()
local gate, same = chan(), atomic.int()
for _ = 1, 5 do
  wg:go(function()
    local v = sf:run("k", function() calls = calls + 1 gate:recv() return "value" end)
    if v == "value" then same:add(1) end
  end)
end
while select(2, runtime.stack(true):gsub("sync.Once", "")) < 4 do runtime.gosched() end
gate:close()
wg:wait()
print(calls, same:load())                        -- expect: 1	5
print(sf:run("k", function() return 2, 3 end))   -- expect: 2	false
print(pcall(sf.run, sf, "k", function() error("no", 0) end))   -- expect: false	no
wg:go(function() sf:run("k", runtime.goexit) end)
wg:wait()
print(sf:run("k", function() return "again" end))   -- expect: again	false

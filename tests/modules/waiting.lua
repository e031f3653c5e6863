-- Who waits for a module's lock costs no thread and holds up neither the others nor the collector; a blocking region of
-- a module lets others into it.
-- Protects: runtime/modlock.c, runtime/host.c (lungo_blocking).
-- procs: 2
local m, o = require "onethread", require "another"
local function threads()
  for line in io.lines("/proc/self/status") do
    local n = line:match("^Threads:%s+(%d+)")
    if n then return tonumber(n) end
  end
end
local wg, started = sync.waitgroup(), chan()
wg:go(function() started:send(true) m.sleep(100) end)
started:recv()
for i = 1, 300 do wg:go(m.add, 1) end
for i = 1, 20 do runtime.gosched() end
local n = threads()
wg:wait()
print(n < 30 and n or n < 30, m.count() == 300)   -- anything above some ten threads is wrong
assert(n < 30 and m.count() == 300)

local t0 = time.monotonic()
for i = 1, 20 do wg:go(o.sleep, 50) end
wg:go(function() for i = 1, 10 do collectgarbage() o.call(print, "meanwhile") end end)
wg:wait()
assert(time.monotonic() - t0 < 0.8, "blocking regions of a module exclude each other")
assert(o.count() == 60)

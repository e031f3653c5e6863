-- The runtime library answers.
-- Protects: stdlib/runtimelib.c.
print(runtime.goid(), runtime.numgoroutine())    -- expect: 1	1
local ids = chan()
go(function() ids:send(runtime.goid()) end)
print(ids:recv() > 1)                            -- expect: true
print(runtime.numcpu() >= 1, runtime.gomaxprocs() >= 1, runtime.gomaxprocs(1) >= 1, runtime.gomaxprocs(2), runtime.gomaxprocs())
-- expect: true	true	true	1	2
runtime.gc()
local m = runtime.memstats()
print(m.alloc > 0, m.numgc >= 1, m.pausemax >= 0)  -- expect: true	true	true
local s = runtime.stats()
print(math.type(s.parks), math.type(s.steals), s.gos >= 1)   -- expect: integer	integer	true
print(runtime.stack():match("^goroutine 1 %[running%]:") ~= nil)  -- expect: true
print(runtime.version:match("^lungo %d"))        -- expect: lungo 0
runtime.lockosthread() runtime.gosched() runtime.unlockosthread()
local out = chan()
go(function()
  local _ <close> = defer(function() out:send("deferred") end)
  pcall(runtime.goexit)
  print("never")
end)
print(<-out)                                     -- expect: deferred

-- Who stops the world does not wait for ever and is not waited for: collections and changes of gomaxprocs at the same time,
-- beside goroutines that start the next one without end, compute without a call, lock their thread, or sleep for nothing.
-- Protects: runtime/stw.c, runtime/proc.c.
local N = os.getenv "LUNGODEBUG" and 3 or 12
local before, stop, wg = runtime.gomaxprocs(), atomic.bool(), sync.waitgroup()
local function perpetual() if not stop:load() then go(perpetual) else wg:done() end end
wg:add()
go(perpetual)
for _ = 1, 2 do wg:go(function() local x = 0 while not stop:load() do for i = 1, 1000 do x = x + i end end end) end
wg:go(function() runtime.lockosthread() while not stop:load() do runtime.gosched() end end)
wg:go(function() while not stop:load() do time.sleep(0) time.sleep(1e-9) end end)
local workers = sync.waitgroup()
workers:go(function() for _ = 1, N do collectgarbage() end end)
workers:go(function() for _ = 1, N do runtime.gc() runtime.gosched() end end)
workers:go(function() for i = 1, N do runtime.gomaxprocs(i % 4 + 1) end end)
workers:go(function() for i = 1, N do runtime.gomaxprocs(3) local _ = #runtime.stack(true) end end)
workers:wait()
stop:store(true)
wg:wait()
-- Very many processors are no error; the number that holds is told, and everything works.
runtime.gomaxprocs(math.maxinteger)
local most = runtime.gomaxprocs(2)
assert(most >= 256 and runtime.gomaxprocs(0) == 2 and runtime.gomaxprocs(-5) == 2 and runtime.gomaxprocs() == 2)
runtime.gomaxprocs(most)
local n = atomic.int()
for _ = 1, 100 do wg:go(function() n:add(1) end) end
wg:wait()
runtime.gomaxprocs(before)
print(n:load()) -- expect: 100

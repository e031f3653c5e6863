-- A once whose function yields may end in another goroutine than it began in; then it was never marked done, and those
-- who waited for it waited forever (once_close in stdlib/synclib.c compared goroutines).
local once, wg, c = sync.once(), sync.waitgroup(), chan()
local co = coroutine.wrap(function() once(function() coroutine.yield() end) end)
wg:go(function() co() end)
wg:wait()
go(function()
  once(function() print("twice") end)
  c <- "done"
end)
time.sleep(0.01)
go(function() co() end)
print((<-c)) -- expect: done

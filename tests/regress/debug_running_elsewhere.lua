-- debug.getinfo(co, f), gethook and sethook pushed onto the stack of a coroutine that another goroutine was running.
-- They raise an error now (lua_checkstack in vm/api.c).
local function rec(n) return n == 0 and 0 or 1 + rec(n - 1) end
local stop, started, done = atomic.bool(false), chan(), chan()
local co = coroutine.create(function()
  started <- true
  while not stop:load() do rec(60) end
  return "ended"
end)
go(function() done <- select(2, coroutine.resume(co)) end)
local _ = <-started
local n = 0
for _ = 1, 20000 do
  if pcall(debug.getinfo, co, print, "S") then n = n + 1 end
  if pcall(debug.sethook, co, print, "", 0) then n = n + 1 end
  pcall(debug.getlocal, co, 1, 1)
  pcall(debug.traceback, co)
end
print(n) -- expect: 0
stop:store(true)
print((<-done)) -- expect: ended
print(debug.getinfo(co, print, "S").what) -- expect: C

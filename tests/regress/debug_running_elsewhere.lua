-- debug.getinfo(co, f), gethook and sethook pushed onto the stack of a coroutine that another goroutine was running.
-- Hook functions raise an error now, for the others it has no levels (debug_call in stdlib/openlibs.c).
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
  if debug.getinfo(co, print, "S").what ~= "C" or debug.getinfo(co, 0) then n = n + 1 end
  if pcall(debug.sethook, co, print, "", 0) or pcall(debug.gethook, co) then n = n + 1 end
  if pcall(debug.getlocal, co, 1, 1) or pcall(debug.setlocal, co, 1, 1, 0) then n = n + 1 end
  if debug.traceback(co, "m") ~= "m\nstack traceback:" then n = n + 1 end
end
print(n) -- expect: 0
print(pcall(debug.gethook, co)) -- expect: false	cannot hook a coroutine that another goroutine runs
stop:store(true)
print((<-done)) -- expect: ended
print(debug.getinfo(co, print, "S").what) -- expect: C

-- Functions of debug looked at, and pushed on, the stack of a suspended coroutine while another goroutine resumed it
-- (stdlib/openlibs.c: debug_call holds it), or had stopped running it a moment before and resumed it again.
local co = coroutine.create(function()
  local function rec(n)
    if n == 0 then coroutine.yield() return 0 end
    return 1 + rec(n - 1)
  end
  local depth = 0
  while true do
    depth = (depth + 37) % 500 -- the stack grows and is moved
    pcall(rec, depth)
  end
end)
local stop, done = atomic.bool(false), chan()
go(function()
  while not stop:load() do coroutine.resume(co) end
  done <- true
end)
for i = 1, 30000 do
  pcall(debug.getinfo, co, print, "S")
  pcall(debug.traceback, co)
  pcall(debug.getlocal, co, 1, 1)
  pcall(debug.setlocal, co, 1, 1, {i})
end
stop:store(true)
print((<-done)) -- expect: true
print(pcall(debug.getinfo, co, 1, "?")) -- expect: false	bad argument #3 to 'debug.getinfo' (invalid option)

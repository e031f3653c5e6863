-- A reader function of load that ends its goroutine leaves the compiler in the middle of a chunk: its memory comes back all the
-- same, however the end passes through it.
-- Protects: vm/compile.c (compile_load), vm/call.c (call_tryall).
local piece = ("x = {1, 2, 3, 4, 5, 6}\n"):rep(200)

local function resident() -- 0: not to be known, as in a sanitizer's terabytes, where its own memory counts
  local f = io.open "/proc/self/statm"
  if not f then return 0 end
  local size, pages = f:read("n", "n")
  f:close()
  return size < 1 << 28 and pages * 4096 or 0
end

local ways = {
  runtime.goexit,
  function() pcall(runtime.goexit) end,
  function() coroutine.wrap(runtime.goexit)() end,
  function() load(function() runtime.goexit() end) end,
  function() runtime.gosched() runtime.goexit() end,
  function() local _ <close> = setmetatable({}, {__close = function() runtime.goexit() end}) error "late" end,
}
local passed = atomic.int()
local function leave(way)
  local left = 5
  load(function()
    left = left - 1
    if left < 0 then way() end
    return piece
  end)
  passed:add(1)
end

local function round()
  local wg = sync.waitgroup()
  for _, way in ipairs(ways) do
    wg:go(leave, way)
    wg:go(function() coroutine.wrap(leave)(way) end)
  end
  wg:wait()
end
for _ = 1, 5 do round() end
collectgarbage()
local before = resident()
for _ = 1, 10 do round() end
collectgarbage()
print(passed:load()) -- expect: 0
local grown = resident() - before
print(grown < 16 << 20 or grown) -- expect: true

-- runtime.stack(true) shows the frames of every goroutine, not of the caller's alone.
-- Cause: the dump asked lua_getstack, which refuses to look at a state that another goroutine runs.
local c = chan()
local function waits_here() return (c:recv()) end
go(function()
  coroutine.wrap(function() waits_here() end)()
end)
repeat runtime.gosched() until runtime.stack(true):find("[chan receive]", 1, true)
local dump = runtime.stack(true)
local frames = dump:match("goroutine %d+ %[chan receive%]:\n(.-)created by")
print(select(2, frames:gsub("\n", "")))                             -- expect: 5
print(frames:find("waits_here", 1, true) ~= nil)                    -- expect: true

-- options: --race
-- done happens before the end of wait, for all who wait and all who counted down, also for who comes late.
local wg, t = sync.waitgroup(), {}
wg:add(10)
for i = 1, 10 do go(function() t[i] = i wg:done() end) end
local readers = sync.waitgroup()
for _ = 1, 3 do
  readers:go(function()
    wg:wait()
    local sum = 0
    for _, v in ipairs(t) do sum = sum + v end
    assert(sum == 55)
  end)
end
readers:wait()
wg:wait()
t[11] = #t + 1
assert(#t == 11)

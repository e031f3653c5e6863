-- Channel operations block inside coroutines, pcall, metamethods, iterators, sort comparators and gsub callbacks.
-- Protects: parking of flat and of nested goroutines.
local function feed(n)
  local c = chan()
  go(function() for i = 1, n do runtime.gosched() c:send(i) end end)
  return c
end
local c = feed(3)
print(coroutine.wrap(function() return <-c end)(), coroutine.wrap(function() return c:recv() end)()) -- expect: 1	2	true
print(pcall(function() return <-c end))                        -- expect: true	3
c = feed(4)
local obj = setmetatable({}, {__index = function() return <-c end, __add = function() return (c:recv()) end})
print(obj.x, obj + 1)                                          -- expect: 1	2
print(("ab"):gsub(".", function() return tostring(<-c) end))   -- expect: 34	2
c = feed(100)
local t = {3, 1, 2}
table.sort(t, function(a, b) c:recv() return a < b end)
print(t[1], t[2], t[3])                                        -- expect: 1	2	3
c = feed(2)
for v in function() return c:recv() end do
  print(v)
  if v == 2 then break end
end
-- expect: 1
-- expect: 2

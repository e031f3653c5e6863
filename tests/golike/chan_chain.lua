-- Ten thousand goroutines in a chain hand a value from one end to the other; then the order of arrival down a chain of
-- filters, synchronous and buffered, is the order of sending.
-- Protects: runtime/chan.c, runtime/sched.c.
local N = os.getenv "LUNGODEBUG" and 300 or 10000
local first = chan()
local left = first
for _ = 1, N do
  local right, l = chan(), left
  go(function() l:send(right:recv() + 1) end)
  left = right
end
left:send(0)
print((<-first) == N) -- expect: true
for _, cap in ipairs {0, 1, 10} do
  local c = chan(cap)
  local head = c
  for _ = 1, 20 do
    local from, to = c, chan(cap)
    go(function() for v in from do to <- v end to:close() end)
    c = to
  end
  go(function() for i = 1, 100 do head <- i end head:close() end)
  local want = 1
  for v in c do assert(v == want) want = want + 1 end
  print(want) -- expect: 101
end
-- expect: 101
-- expect: 101

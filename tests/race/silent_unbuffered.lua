-- options: --race
-- A send happens before its receive ends, and the receive before the send ends: two goroutines take turns.
local n, ch = 0, chan()
go(function()
  for _ = 1, 50 do
    n = n + 1
    ch <- true -- gives n to main
    ch <- true -- gets it back
  end
  ch:close()
end)
for _ in ch do
  n = n + 1
  ch:recv()
end
assert(n == 100)

-- the receiver is there first: what it did before is seen after the send
local t, c = {}, chan()
for i = 1, 5 do
  go(function()
    t[i] = i
    c:recv()
  end)
  repeat runtime.gosched() until runtime.stack(true):find("chan receive")
  c <- true
  assert(t[i] == i)
end

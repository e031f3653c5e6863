-- A 10-ary tree of 100,000 leaf goroutines that sum their numbers. Prints milliseconds.
local function skynet(c, num, size)
  if size == 1 then
    c <- num
    return
  end
  local rc, sum, part = chan(), 0, size // 10
  for i = 0, 9 do go skynet(rc, num + i * part, part) end
  for _ = 1, 10 do sum = sum + <-rc end
  c <- sum
end
local t0, c = time.monotonic(), chan()
go skynet(c, 0, 100000)
assert(<-c == 4999950000)
print(string.format("%.1f", (time.monotonic() - t0) * 1e3))

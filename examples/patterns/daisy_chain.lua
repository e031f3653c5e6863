-- A daisy chain of 10000 goroutines: each waits for the one on its right and passes on one more. Goroutines are cheap.
-- Expect: 10001

local function link(left, right)
  left <- 1 + <-right
end

local leftmost = chan("integer")
local left, right = leftmost, leftmost
for _ = 1, 10000 do
  right = chan("integer")
  go link(left, right)
  left = right
end
go function(c) c <- 1 end(right)          -- whisper the first number into the right end
print(<-leftmost)

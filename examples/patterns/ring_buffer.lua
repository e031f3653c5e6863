-- A channel that never blocks its sender: between input and output a buffer keeps the newest values and drops the oldest.
-- Expect: of ten values sent to a slow receiver the last four

local function ring_buffer(input, n)
  local output = chan(n)
  go function()
    for v in input do
      if not output:trysend(v) then       -- full: make room by taking the oldest out
        output:tryrecv()                  -- it may be gone already, that is room too
        output <- v                       -- this goroutine is the only sender: there is room now
      end
    end
    output:close()
  end()
  return output:receiver()
end

local input = chan("integer")
local output = ring_buffer(input, 4)
for i = 1, 10 do input <- i end
input:close()
while runtime.numgoroutine() > 1 do time.sleep(time.millisecond) end   -- so slow a receiver
for v in output do print(v) end

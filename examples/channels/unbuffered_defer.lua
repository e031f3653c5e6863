-- Deferred functions count the goroutines that have ended; main leaves after five receives, whoever still runs.
-- Expect: some of the numbers 1 to 5 (what is printed after the send may come too late), and an end without error.
local count = atomic.int()

local function print_data(i, ch, done)
  defer function() count:add(1) end()
  ch <- 1
  print(i)
  if count:load() == 5 then
    print(5)
    done <- true
  end
end

local ch, done = chan("integer"), chan("boolean")
for i = 1, 5 do go print_data(i, ch, done) end
for _ = 1, 5 do <-ch end

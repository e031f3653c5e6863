-- A done channel: closing it tells any number of goroutines to stop, each at its next select.
-- Expect: three workers that stop, then the end

local done, stopped = chan(), sync.waitgroup()

local function worker(id)
  local steps = 0
  while true do
    select
    case <-done then
      print("worker " .. id .. " stops")
      return steps
    else
      steps = steps + 1                   -- one step of the work
      time.sleep(time.millisecond)
    end
  end
end

for id = 1, 3 do stopped:go(worker, id) end
time.sleep(10 * time.millisecond)
done:close()
stopped:wait()
print("all have stopped")

-- A worker pool: three goroutines share the jobs of one channel, so never more than three are at work.
-- Expect: nine squares in any order, then how many jobs were done

local jobs, results = chan("integer"), chan("table")
local workers, done = sync.waitgroup(), atomic.int()

local function worker(id)
  for n in jobs do                        -- ends when jobs is closed and empty
    time.sleep(2 * time.millisecond)      -- the work
    done:add(1)
    results <- { id = id, n = n, square = n * n }
  end
end

for id = 1, 3 do workers:go(worker, id) end

go function()
  for n = 1, 9 do jobs <- n end
  jobs:close()
  workers:wait()
  results:close()                         -- after the last sender is done, never before
end()

for r in results do print(r.n .. " squared is " .. r.square) end
print("jobs done: " .. done:load())

-- Fan-out: several goroutines read the same channel. Fan-in: what they make comes together in another one.
-- Expect: the even numbers 2 to 18, in any order

local function worker(jobs, results)
  for j in jobs do results <- j * 2 end
end

local jobs, results = chan("integer", 100), chan("integer", 100)
for _ = 1, 3 do go worker(jobs:receiver(), results:sender()) end

for j = 1, 9 do jobs <- j end
jobs:close()

for _ = 1, 9 do print(<-results) end

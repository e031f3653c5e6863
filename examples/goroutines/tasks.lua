-- Three tasks run at the same time, each counting with a pause between its steps.
-- Expect: Task N: 0 to Task N: 4 for each of 0, 1, 2; the tasks interleave.
local function task(id)
  for i = 0, 4 do
    print(string.format("Task %d: %d", id, i))
    time.sleep(0.1 * time.second)
  end
end

for i = 0, 2 do go task(i) end
time.sleep(1 * time.second) -- time for all to finish

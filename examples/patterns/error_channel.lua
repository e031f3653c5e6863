-- Results and errors on channels of their own: a goroutine's error does not end the program if it is sent as a value.
-- Expect: results of the tasks 1, 2 and 4, the errors of 3 and 5, and how many there were of each

local results, errors = chan(), chan()
local tasks = sync.waitgroup()

local function task(id)
  if id == 3 then return nil, "no such file" end       -- the usual way of Lua
  if id == 5 then error("out of luck", 0) end          -- or an error that is raised
  return id * 10
end

for id = 1, 5 do
  tasks:go(function()
    local ok, value, err = pcall(task, id)
    if not ok then value, err = nil, value end
    if err ~= nil then
      errors <- "task " .. id .. ": " .. err
    else
      results <- "task " .. id .. ": " .. value
    end
  end)
end

local finished = chan()
go function()
  tasks:wait()
  finished:close()
end()

local good, bad = 0, 0
while true do
  select
  case r = <-results then
    good = good + 1
    print(r)
  case e = <-errors then
    bad = bad + 1
    print("error in " .. e)
  case <-finished then
    print(good .. " results, " .. bad .. " errors")
    return
  end
end

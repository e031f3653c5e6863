-- Two goroutines that read one shared table.
local run = dofile(arg[0]:match("^.*/") .. "common.lua")
local shared = { list = {}, map = {} }
for i = 1, 10000 do shared.list[i] = i shared.map["k" .. i] = i end
local keys = {}
for i = 1, 10000 do keys[i] = "k" .. i end
run(function()
  local sum = 0
  for round = 1, 150 do
    local list, map = shared.list, shared.map
    for i = 1, #list do sum = sum + list[i] + map[keys[i]] end
  end
  return sum
end)

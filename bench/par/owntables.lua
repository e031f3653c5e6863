-- Two goroutines that build and read tables of their own.
local run = dofile(arg[0]:match("^.*/") .. "common.lua")
run(function()
  local sum = 0
  for round = 1, 40 do
    local t = {}
    for i = 1, 20000 do t[i] = { id = i, name = "n" .. i, next = i + 1 } end
    for i = 1, #t do sum = sum + t[i].id + t[i].next + #t[i].name end
  end
  return sum
end)

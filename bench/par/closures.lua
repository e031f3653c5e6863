-- Two goroutines that call closures over captured variables of their own.
local run = dofile(arg[0]:match("^.*/") .. "common.lua")
run(function()
  local n, total = 0, 0
  local function inc(d) n = n + d return n end
  local function add() total = total + n end
  for i = 1, 6000000 do inc(1) add() end
  return total
end)

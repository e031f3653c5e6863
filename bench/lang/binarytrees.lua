-- Allocation and collection of many small tables.
local function bottom_up(d)
  if d == 0 then return {} end
  return { bottom_up(d - 1), bottom_up(d - 1) }
end
local function check(t) if t[1] then return 1 + check(t[1]) + check(t[2]) end return 1 end
local maxd = 15
assert(check(bottom_up(maxd + 1)) == 2 ^ (maxd + 2) - 1)
local long = bottom_up(maxd)
for d = 4, maxd, 4 do
  local n, sum = 1 << (maxd - d + 4), 0
  for _ = 1, n do sum = sum + check(bottom_up(d)) end
  assert(sum == n * (2 ^ (d + 1) - 1))
end
assert(check(long) == 2 ^ (maxd + 1) - 1)

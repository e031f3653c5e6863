-- Floating point in local variables.
local n, count = 700, 0
for py = 0, n - 1 do
  local ci = 2 * py / n - 1
  for px = 0, n - 1 do
    local cr, zr, zi, inside = 2 * px / n - 1.5, 0, 0, true
    for _ = 1, 100 do
      local r2, i2 = zr * zr, zi * zi
      if r2 + i2 > 4 then inside = false break end
      zr, zi = r2 - i2 + cr, 2 * zr * zi + ci
    end
    if inside then count = count + 1 end
  end
end
assert(count == 189414)

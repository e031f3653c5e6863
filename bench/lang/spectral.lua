-- Spectral norm: nested numeric loops, array reads and writes.
local function a(i, j) local ij = i + j - 1 return 1.0 / (ij * (ij - 1) * 0.5 + i) end
local function av(n, x, y)
  for i = 1, n do
    local s = 0
    for j = 1, n do s = s + x[j] * a(i, j) end
    y[i] = s
  end
end
local function atv(n, x, y)
  for i = 1, n do
    local s = 0
    for j = 1, n do s = s + x[j] * a(j, i) end
    y[i] = s
  end
end
local n = 600
local u, v, t = {}, {}, {}
for i = 1, n do u[i] = 1 end
for _ = 1, 5 do av(n, u, t) atv(n, t, v) av(n, v, t) atv(n, t, u) end
local vbv, vv = 0, 0
for i = 1, n do vbv, vv = vbv + u[i] * v[i], vv + v[i] * v[i] end
assert(string.format("%0.9f", math.sqrt(vbv / vv)) == "1.274224131")

-- table.sort with and without a comparator, and a sort written in Lua.
local seed = 42
local function rnd() seed = (seed * 1103515245 + 12345) & 0x7fffffff return seed end
local n = 150000
local a, b, c = {}, {}, {}
for i = 1, n do local v = rnd() a[i], b[i], c[i] = v, v, v end
table.sort(a)
table.sort(b, function(x, y) return x > y end)
local function quick(t, lo, hi)
  while lo < hi do
    local p, i, j = t[(lo + hi) // 2], lo, hi
    while i <= j do
      while t[i] < p do i = i + 1 end
      while t[j] > p do j = j - 1 end
      if i <= j then t[i], t[j] = t[j], t[i] i = i + 1 j = j - 1 end
    end
    if j - lo < hi - i then quick(t, lo, j) lo = i else quick(t, i, hi) hi = j end
  end
end
quick(c, 1, n)
for i = 1, n do assert(a[i] == c[i] and a[i] == b[n - i + 1]) end

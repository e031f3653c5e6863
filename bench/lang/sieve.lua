-- Sieve of Eratosthenes: array writes in tight loops.
local function sieve(n)
  local flags, count = {}, 0
  for i = 2, n do flags[i] = true end
  for i = 2, n do
    if flags[i] then
      count = count + 1
      for k = i * i, n, i do flags[k] = false end
    end
  end
  return count
end
for _ = 1, 9 do assert(sieve(1000000) == 78498) end

-- Making and calling closures over captured variables.
local function counter()
  local n = 0
  return function(d) n = n + d return n end, function() return n end
end
local sum = 0
for i = 1, 800000 do
  local inc, get = counter()
  for j = 1, 10 do inc(j) end
  sum = sum + get()
end
assert(sum == 800000 * 55)
local function compose(f, g) return function(x) return f(g(x)) end end
local f = function(x) return x + 1 end
for _ = 1, 6 do f = compose(f, f) end
for _ = 1, 80000 do assert(f(0) == 64) end

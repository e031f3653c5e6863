-- The prime sieve: a chain of filters that grows while values run through it. With ends that stay blocked at exit.
-- Protects: runtime/chan.c, runtime/sched.c.
local function numbers() local c = chan() go(function() local i = 2 while true do c <- i i = i + 1 end end) return c end
local function filter(from, prime)
  local to = chan()
  go(function() while true do local v = <-from if v % prime ~= 0 then to <- v end end end)
  return to
end
local c, found = numbers(), {}
for i = 1, 30 do
  found[i] = <-c
  c = filter(c, found[i])
end
print(table.concat(found, " ", 1, 10)) -- expect: 2 3 5 7 11 13 17 19 23 29
print(found[30])                       -- expect: 113

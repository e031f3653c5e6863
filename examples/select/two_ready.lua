-- Two cases are ready: select takes one of them, each about half of the time.
-- Expect: both were taken, close to 500 times each.
local counts = { 0, 0 }
local a, b = chan(1), chan(1)
for _ = 1, 1000 do
  a:trysend(1)
  b:trysend(2)
  select
  case v = <-a then counts[v] = counts[v] + 1
  case v = <-b then counts[v] = counts[v] + 1
  end
end
print("fair:", counts[1] > 350 and counts[2] > 350, counts[1] + counts[2])

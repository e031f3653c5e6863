-- The prime sieve of goroutines: 1000 primes. Prints milliseconds.
local t0 = time.monotonic()
local function generate(ch) local i = 2 while true do ch <- i i = i + 1 end end
local function filter(from, to, prime)
  while true do
    local i = <-from
    if i % prime ~= 0 then to <- i end
  end
end
local ch = chan()
go generate(ch)
local prime
for _ = 1, 1000 do
  prime = <-ch
  local nxt = chan()
  go filter(ch, nxt, prime)
  ch = nxt
end
assert(prime == 7919)
print(string.format("%.1f", (time.monotonic() - t0) * 1e3))

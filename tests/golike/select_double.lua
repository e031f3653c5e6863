-- A select over several channels with a receiver each: a value goes out on exactly one of them, however the receivers and
-- the choice race.
-- Protects: runtime/select.c (waiter_win), runtime/chan.c (dequeue of a waiter that has been won already).
local N = os.getenv "LUNGODEBUG" and 500 or 10000
local cs, all = {chan(), chan(), chan(), chan()}, chan(4)
go(function()
  for i = 1, N do
    select case cs[1] <- i then case cs[2] <- i then case cs[3] <- i then case cs[4] <- i then end
  end
  for _, c in ipairs(cs) do c:close() end
end)
local wg = sync.waitgroup()
for _, c in ipairs(cs) do wg:go(function() for v in c do all <- v end end) end
go(function() wg:wait() all:close() end)
local seen, n = {}, 0
for v in all do
  assert(not seen[v], "a value was sent twice")
  seen[v] = true
  n = n + 1
end
print(n == N) -- expect: true

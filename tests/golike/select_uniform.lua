-- A select among ready cases chooses each as often: chi-square over 100,000 choices, for 2 to 8 cases, receives and
-- sends, both forms; and over those made by its partner, for a select that waits with several cases on one channel.
-- Protects: runtime/select.c (choose, shuffle).
local N = os.getenv "LUNGODEBUG" and 2000 or 100000
-- A right chooser exceeds these once in a million times, for 1 to 7 degrees of freedom.
local limit = {23.9, 27.6, 30.7, 33.4, 35.9, 38.3, 40.5}
local function check(what, counts, total)
  local chi, want = 0, total / #counts
  for i = 1, #counts do chi = chi + (counts[i] - want) ^ 2 / want end
  if chi > limit[#counts - 1] then error(what .. ": chi-square " .. chi .. ", counts " .. table.concat(counts, " ")) end
end
local function closed() local c = chan() c:close() return c end
for n = 2, 8 do
  local cases, cs, counts = {}, {}, {}
  for i = 1, n do
    cs[i] = closed()
    counts[i] = 0
    cases[i] = {recv = cs[i]}
  end
  for _ = 1, N do
    local i = select(cases)
    counts[i] = counts[i] + 1
  end
  check("function form", counts, N)
  local text = {"local cs, counts, N = ... for _ = 1, N do select "}
  for i = 1, n do text[#text + 1] = ("case <-cs[%d] then counts[%d] = counts[%d] + 1 "):format(i, i, i) end
  text[#text + 1] = n % 2 == 0 and "else error 'not ready' end end" or "end end"
  for i = 1, n do counts[i] = 0 end
  assert(load(table.concat(text)))(cs, counts, N)
  check("syntax form", counts, N)
end
local sends, room = {0, 0, 0}, {chan(N), chan(N), chan(N)}
for _ = 1, N // 10 do
  select
  case room[1] <- true then sends[1] = sends[1] + 1
  case room[2] <- true then sends[2] = sends[2] + 1
  case room[3] <- true then sends[3] = sends[3] + 1
  end
end
check("sends", sends, N // 10)
local c, gave = chan(), {0, 0, 0, 0}
go(function() for _ = 1, N // 10 do select case c <- 1 then case c <- 2 then case c <- 3 then case <-chan() then case c <- 4 then end end end)
for _ = 1, N // 10 do
  local i = <-c
  gave[i] = gave[i] + 1
end
check("a select that waits", gave, N // 10)
print "uniform" -- expect: uniform

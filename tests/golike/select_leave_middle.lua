-- A select that completes elsewhere leaves its place in the middle of another channel's queue; those before and behind
-- it keep theirs.
-- Protects: runtime/waitq.h (remove), runtime/select.c.
local a, b, order = chan(), chan(), chan(10)
local function waiting(n)
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[chan receive", "")) +
    select(2, runtime.stack(true):gsub("%[select", "")) == n
end
for round = 1, 20 do
  local where = round % 5 + 1 -- the select's place among five
  for i = 1, 5 do
    if i == where then
      go(function() select case v = <-a then order:send("wrong" .. v) case <-b then order:send "left" end end)
    else
      go(function() order:send(i .. ":" .. <-a) end)
    end
    waiting(i)
  end
  b:send(1)
  assert(<-order == "left")
  local n = 0
  for i = 1, 5 do
    if i ~= where then
      n = n + 1
      a:send(n)
      assert(<-order == i .. ":" .. n)
    end
  end
end
print "ok" -- expect: ok

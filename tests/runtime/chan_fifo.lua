-- Waiting senders and waiting receivers are served first come, first served.
-- Protects: runtime/chan.c, runtime/waitq.h.
local ch, step = chan(), chan()
local function waiting(n) -- until n goroutines besides main wait
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[chan send[^\n]*%]", "")) == n
end
for i = 1, 5 do
  go(function() ch:send(i) end)
  waiting(i)
end
local got = {}
for i = 1, 5 do got[i] = ch:recv() end
print(table.concat(got, " "))   -- expect: 1 2 3 4 5

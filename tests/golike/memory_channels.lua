-- The memory model's sentences about channels: what one side wrote before the edge, to variables and to tables that grow,
-- the other one finds after it, each of thousands of times. The way back goes through an atomic counter, so that each
-- edge stands alone.
-- Protects: runtime/chan.c, runtime/select.c, the interpreter's stores before and loads after them.
local N = ROUNDS or os.getenv "LUNGODEBUG" and 100 or 2500 -- ROUNDS: race/silent_memory.lua
local function state()
  local v, s = 0, {n = 0}
  local function write(i) v = i s.n = i s[i % 8 + 1] = {i} s["k" .. i] = i s["k" .. i - 3] = nil end
  local function good(i) return v == i and s.n == i and s[i % 8 + 1][1] == i and s["k" .. i] == i and s["k" .. i - 3] == nil end
  return write, good
end
local function await(counter, i) -- with a pause if it takes long: there may be more processors than CPUs
  local spins = 0
  while counter:load() < i do
    spins = spins + 1
    if spins > 1000 then time.sleep(1e-5) elseif spins > 50 then runtime.gosched() end
  end
end
-- In round i one goroutine writes and calls give(i), the other calls take(i) and looks.
local function edge(name, give, take)
  local write, good = state()
  local looked, wg = atomic.int(), sync.waitgroup()
  wg:go(function()
    for i = 1, N do
      write(i)
      give(i)
      await(looked, i)
    end
  end)
  wg:go(function()
    for i = 1, N do
      take(i)
      assert(good(i), name)
      looked:store(i)
    end
  end)
  wg:wait()
end
local c = chan()
edge("a send happens before the receive completes", function(i) c <- i end, function(i) assert(<-c == i) end)
edge("the receive from an unbuffered channel happens before the send completes", function(i) assert(<-c == i) end, function(i) c <- i end)
edge("the same in a select", function(i) select case v = <-c then assert(v == i) case <-chan() then end end,
  function(i) select {{send = c, value = i}, {send = chan(), value = 0}} end)
edge("the same by trysend", function(i) assert((c:recv()) == i) end, function(i) while not c:trysend(i) do runtime.gosched() end end)
edge("a send happens before tryrecv has it", function(i) c:send(i) end, function(i)
  local v, ok
  repeat v, ok = c:tryrecv() if not ok then runtime.gosched() end until ok
  assert(v == i)
end)
edge("a send that a select makes", function(i) select case c <- i then case chan() <- 0 then end end, function(i) assert(c() == i) end)
local b = chan(4)
edge("a send into a buffer", function(i) b <- i end, function(i) assert(<-b == i) end)
edge("a trysend into a buffer", function(i) assert(b:trysend(i)) end, function(i) select case v = <-b then assert(v == i) end end)
-- The k-th receive of a channel with room for C happens before the k+C-th send completes.
for C = 1, 3 do
  local full = chan(C)
  for _ = 1, C do full <- 0 end
  edge("a receive makes room for a send, C = " .. C, function(i) full:recv() end, function(i) full <- i end)
  edge("the same in a select", function(i) full:tryrecv() end, function(i) select case full <- i then case <-chan() then end end)
end
-- close happens before a receive that returns because of it, by all ways to receive.
local current = atomic.value(chan())
local ways = {
  function(ch) assert(ch:recv() == nil) end,
  function(ch) for _ in ch do error "a value" end end,
  function(ch) select case v, ok = <-ch then assert(v == nil and ok == false) end end,
  function(ch) repeat local _, _, ready = ch:tryrecv() if not ready then runtime.gosched() end until ready end,
  function(ch) select {{recv = ch:receiver()}, {recv = chan()}} end,
}
local stops = {}
for i = 1, N do stops[i] = chan(i % 3) end
edge("close happens before a receive that sees it", function(i) stops[i]:close() end, function(i) ways[i % #ways + 1](stops[i]) end)
for i = 1, N do stops[i] = chan() end
edge("close happens before the error of a send that it wakes", function(i) stops[i]:close() end,
  function(i) assert(not pcall(stops[i].send, stops[i], 1)) end)
-- A value handed over carries what was written to it, and all that was written before, through many hands.
local first = chan()
local last = first
for _ = 1, 5 do
  local from, to = last, chan(1)
  go(function() for t in from do t[#t + 1] = #t to <- t end to:close() end)
  last = to
end
go(function() for i = 1, N do first <- {i} end first:close() end)
local n = 0
for t in last do n = n + 1 assert(#t == 6 and t[1] == n and t[6] == 5) end
assert(n == N)
-- A lock made of a channel with room for one, and a barrier of buffered ones.
local lock, x, wg = chan(1), 0, sync.waitgroup()
for _ = 1, 4 do wg:go(function() for _ = 1, N do lock <- true x = x + 1 lock:recv() end end) end
wg:wait()
assert(x == 4 * N)
print "ok" -- expect: ok

-- Every way to send meets every way to receive, whoever is there first, unbuffered and buffered: the value arrives once, and
-- nothing is left behind in the queues.
-- Protects: runtime/chan.c, runtime/select.c.
local never, nobody = chan(), chan() -- nobody sends on the one or receives from the other
local polls = {} -- those that only look, again and again: two of them do not meet where there is no room
local function poll(f) polls[f] = true return f end
local sends = {
  function(c, v) c:send(v) end,
  function(c, v) c <- v end,
  poll(function(c, v) while not c:trysend(v) do runtime.gosched() end end),
  function(c, v) c:sender():send(v) end,
  function(c, v) select case c <- v then end end,
  function(c, v) select case <-never then case c <- v then case nobody <- v then end end,
  poll(function(c, v) local sent = false while not sent do select case c <- v then sent = true else runtime.gosched() end end end),
  function(c, v) assert(select {{send = c, value = v}} == 1) end,
  function(c, v) assert(select {{recv = never}, {send = c:sender(), value = v}} == 2) end,
  function(c, v) coroutine.wrap(function() c <- v end)() end,
  function(c, v) table.sort({2, 1}, function(a, b) if v then c:send(v) v = nil end return a < b end) end,
}
local recvs = {
  function(c) return (c:recv()) end,
  function(c) return <-c end,
  function(c) local v, ok = <-c assert(ok == true) return v end,
  function(c) for v in c do return v end end,
  function(c) return (c()) end,
  poll(function(c) while true do local v, _, ready = c:tryrecv() if ready then return v end runtime.gosched() end end),
  function(c) return <-c:receiver() end,
  function(c) select case v = <-c then return v end end,
  function(c) select case v, ok = <-c then assert(ok == true) return v case <-never then case nobody <- 1 then end end,
  poll(function(c) while true do select case v = <-c then return v else runtime.gosched() end end end),
  function(c) local _, v, ok = select {{recv = never}, {recv = c}} assert(ok == true) return v end,
  function(c) return (select {{recv = c, function(v) return v end}}) end,
  function(c) return coroutine.wrap(function() return <-c end)() end,
  function(c) return (("x"):gsub("x", function() return tostring(<-c) end)) + 0 end,
}
local function parked() -- whether some goroutine waits for a channel by now
  local all = runtime.stack(true)
  return all:find("[chan send", 1, true) or all:find("[chan receive", 1, true) or all:find("[select", 1, true)
end
local n, out = 0, chan(1)
for _, cap in ipairs {0, 1, 2} do
  local c = chan(cap)
  for s, send in ipairs(sends) do
    for r, recv in ipairs(recvs) do
      for first = 1, 3 do -- the receiver waits, the sender waits, or who knows
        if cap == 0 and polls[send] and polls[recv] then break end
        n = n + 1
        if first == 2 then
          go(send, c, n)
          for _ = 1, 5 do if parked() then break end runtime.gosched() end
          out:send(recv(c))
        else
          go(function() out:send(recv(c)) end)
          if first == 1 then for _ = 1, 5 do if parked() then break end runtime.gosched() end end
          send(c, n)
        end
        local v = out:recv()
        if v ~= n then error(("send %d, receive %d, first %d, capacity %d: %s, not %d"):format(s, r, first, cap, v, n)) end
        if #c ~= 0 then error "something is left" end
      end
    end
  end
  assert(select(3, c:tryrecv()) == false and c:trysend(0) == (cap > 0))
end
while runtime.numgoroutine() > 1 do runtime.gosched() end
print(n) -- expect: 1374

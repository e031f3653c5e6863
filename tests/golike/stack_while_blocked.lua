-- A goroutine may wait with its call stack deep, small again, or just grown: what is handed to it meanwhile arrives in the right
-- place, whatever collections do to stacks.
-- Protects: runtime/chan.c (values go into the waiter), runtime/roots.c (stacks shrink).
local ROUNDS = os.getenv "LUNGODEBUG" and 2 or 10
local function deep(n, f) -- calls f at depth n, and looks after its own locals on the way back
  local a, b, c = n, {n}, n .. ""
  local r
  if n == 0 then r = f() else r = deep(n - 1, f) end
  assert(a == n and b[1] == n and c == n .. "")
  return r
end
local c, never, back, nobody = chan(), chan(), chan(3), chan()
local waits = {
  function() return <-c end,
  function() return (c:recv()) end,
  function() select case v = <-c then return v case <-never then end end,
  function() local _, v = select {{recv = never}, {recv = c}} return v end,
  function() c <- "sent" return "sent" end,
  function() select case c <- "sent" then return "sent" case nobody <- 1 then end end,
}
local function parked()
  repeat
    runtime.gosched()
    local all = runtime.stack(true)
  until all:find("[chan send", 1, true) or all:find("[chan receive", 1, true) or all:find("[select", 1, true)
end
for round = 1, ROUNDS do
  for k, wait in ipairs(waits) do
    for _, how in ipairs {
      function() return deep(300, wait) end,                                      -- waits deep down
      function() deep(300, function() end) return wait() end,                     -- waits with a stack far too large
      function() return deep(20, function() deep(100, function() end) return wait() end) end,
      function() return deep(50, coroutine.wrap(function() return deep(50, wait) end)) end,
    } do
      go(function()
        local r = how()
        back:send(deep(200, function() return r end)) -- and grows again
      end)
      parked()
      if (round + k) % 2 == 0 then collectgarbage() collectgarbage() end
      if k <= 4 then c:send "v" else assert(<-c == "sent") end
      assert(<-back == (k <= 4 and "v" or "sent"))
    end
  end
end
print "ok" -- expect: ok

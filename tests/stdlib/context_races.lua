-- Cancel against deadline against birth against waiters: one error and cause per context, nobody left behind.
-- Protects: runtime/context.c.
local bg = context.background()
local rounds = 60
for round = 1, rounds do
  local root, cancel = context.withcancelcause(bg)
  local wg = sync.waitgroup()
  local short, cancelshort = context.withtimeout(root, 0.0003)
  for i = 1, 4 do
    wg:go(function()                        -- born while the parent dies
      for _ = 1, 10 do
        local c, stop = context.withtimeout(short, i % 2 == 0 and 0.0002 or 5)
        local d = context.withvalue(c, "round", round)
        if i == 3 then stop() end
        select case <-d:done() then case <-root:done() then end
        <-d:done()
        assert(d:err() and d:value("round") == round and d:cause())
      end
    end)
    wg:go(function()                        -- waits
      <-short:done()
      local err = short:err()
      assert(err == "context deadline exceeded" or err == "context canceled")
      assert(short:err() == err)
    end)
  end
  wg:go(function() if round % 2 == 0 then cancelshort() end end)
  wg:go(function() if round % 3 == 0 then cancel("stop") else cancel() end end)
  wg:go(cancel, "stop")
  wg:wait()
  assert(root:err() == "context canceled")
  assert(root:cause() == "stop" or root:cause() == "context canceled")
  assert(context.withcancel(root):cause() == root:cause())
end
-- Whoever has seen a done channel closed, or has called cancel, finds everything below cancelled.
for _ = 1, rounds do
  local root, cancel = context.withcancel(bg)
  local kids, wg = {}, sync.waitgroup()
  for i = 1, 50 do kids[i] = context.withcancel(context.withcancel(root)) end
  local function check() for i = 1, #kids do assert(kids[i]:err() == "context canceled") end end
  for _ = 1, 2 do
    wg:go(function() cancel() check() end)
    wg:go(function() <-root:done() check() end)
  end
  wg:wait()
end
-- Collections meanwhile.
local root, cancel = context.withcancel(bg)
local wg = sync.waitgroup()
for _ = 1, 4 do
  wg:go(function()
    for i = 1, 1500 do
      local c, stop = context.withtimeout(root, 60)
      local d = c:done()
      if i % 2 == 0 then stop() d:recv() end
      if i % 500 == 0 then collectgarbage() end
    end
  end)
end
wg:wait()
cancel()
print(root:err())   -- expect: context canceled

-- coroutines_passed.lua [ROUNDS]: coroutines travel between goroutines; two at once are refused, never mixed up.
local rounds = tonumber(arg[1]) or 10
for round = 1, rounds do
  -- a ring: each goroutine resumes once and passes on
  local N, hops = 5, 300
  local ring = {}
  for i = 1, N do ring[i] = chan(1) end
  local done = chan()
  for i = 1, N do
    go function()
      for co in ring[i] do
        local ok, n = coroutine.resume(co, i)
        assert(ok, n)
        if coroutine.status(co) == "dead" then done <- n else ring[i % N + 1] <- co end
      end
    end()
  end
  for c = 1, 3 do
    ring[c] <- coroutine.create(function(who)
      local keep, sum = {}, 0
      for k = 1, hops do
        keep[#keep % 20 + 1] = {k, tostring(k)}
        sum = sum + who
        who = coroutine.yield(k)
      end
      return sum
    end)
  end
  local total = 0
  for _ = 1, 3 do total = total + <-done end
  assert(total > 0)
  for i = 1, N do ring[i]:close() end
  -- a race for one coroutine: each resume either runs it or is refused
  local co = coroutine.create(function() local n = 0 while true do n = n + 1; coroutine.yield(n) end end)
  local wins, refused, wg = atomic.int(0), atomic.int(0), sync.waitgroup()
  for _ = 1, 6 do
    wg:go(function()
      for _ = 1, 200 do
        local ok, e = coroutine.resume(co)
        if ok then wins:add(1) else assert(e == "cannot resume non-suspended coroutine", e); refused:add(1) end
      end
    end)
  end
  wg:wait()
  local ok, n = coroutine.resume(co)
  assert(ok and n == wins:load() + 1 and wins:load() + refused:load() == 1200)
  -- wrap shared, blocking inside a coroutine, close by another goroutine
  local feed = chan()
  local gen = coroutine.wrap(function() for v in feed do coroutine.yield(v * 2) end return nil end)
  local mu, sum = sync.mutex(), 0
  wg = sync.waitgroup()
  for _ = 1, 3 do
    wg:go(function()
      while true do
        local _ <close> = mu:lock()
        if sum < 0 then return end
        local v = gen()
        if v == nil then sum = -sum return end
        sum = sum + v
      end
    end)
  end
  for i = 1, 100 do feed <- i end
  feed:close()
  wg:wait()
  assert(sum == -10100)
  local closed = 0
  local cos = {}
  for i = 1, 20 do
    cos[i] = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() closed = closed + 1 end}) coroutine.yield() end)
    coroutine.resume(cos[i])
  end
  wg = sync.waitgroup()
  wg:go(function() for i = 1, 20 do assert(coroutine.close(cos[i])) end end)
  wg:wait()
  assert(closed == 20)
end

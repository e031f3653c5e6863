-- chan_model.lua [ROUNDS [SEED]]: random programs of channels, select, mutexes and wait groups, checked against what
-- must hold whatever the schedule: every value sent is received exactly once, values of one sender over one channel
-- arrive in order, a closed channel is drained before it says so, a mutex admits one, counters agree.
local rounds, seed = tonumber(arg[1]) or 20, tonumber(arg[2]) or os.time()
math.randomseed(seed)
local rnd = math.random

local function maybe_wait(r)
  if r == 1 then runtime.gosched()
  elseif r == 2 then time.sleep(0.0001)
  elseif r == 3 then local t = {} for i = 1, 50 do t[i] = {i} end
  end
end

-- Sends n values {sender, number} over random channels of `chans`, by send, select, trysend or the function form.
local function sender(id, n, chans, style)
  local counts = {}
  for i = 1, #chans do counts[i] = 0 end
  local x = id * 7919
  for _ = 1, n do
    x = (x * 1103515245 + 12345) % 2147483648
    local k = x // 64 % #chans + 1
    local other = k % #chans + 1
    local a, b = chans[k], chans[other]
    local va, vb = {id, counts[k] + 1}, {id, counts[other] + 1}
    if style == 1 then
      a <- va
      counts[k] = counts[k] + 1
    elseif style == 2 and a ~= b then
      select
      case a <- va then counts[k] = counts[k] + 1
      case b <- vb then counts[other] = counts[other] + 1
      end
    elseif style == 3 and a ~= b then
      local i = select {{send = a, value = va}, {send = b, value = vb}}
      if i == 1 then counts[k] = counts[k] + 1 else counts[other] = counts[other] + 1 end
    else
      local sent = a:trysend(va) -- against one who only polls, trying alone would never meet
      if not sent then runtime.gosched(); sent = a:trysend(va) end
      if not sent then a <- va end
      counts[k] = counts[k] + 1
    end
    maybe_wait(x // 1024 % 40)
  end
end

-- Receives until all channels are closed. got: list of {channel index, sender, number}.
local function receiver(id, chans, style, got)
  local open, live = {}, #chans
  for i, c in ipairs(chans) do open[i] = c end
  local x = id * 104729
  local function take(i, v, ok)
    if ok then got[#got + 1] = {i, v[1], v[2]}
    else assert(v == nil); if open[i] then open[i] = nil; live = live - 1 end end
  end
  if style == 1 then -- one after the other, in goroutines of its own
    local wg, mu = sync.waitgroup(), sync.mutex()
    for i, c in ipairs(chans) do
      wg:go(function() for v in c do local _ <close> = mu:lock() take(i, v, true) end end)
    end
    wg:wait()
    return
  end
  while live > 0 do
    x = (x * 1103515245 + 12345) % 2147483648
    if style == 2 then
      local cases, index = {}, {}
      for i = 1, #chans do if open[i] then cases[#cases + 1] = {recv = open[i]}; index[#index + 1] = i end end
      local n, v, ok = select(cases)
      take(index[n], v, ok)
    elseif style == 3 then -- nil channels are never ready
      local a, b, c = open[1], open[2], open[3]
      select
      case v, ok = <-a then take(1, v, ok)
      case v, ok = <-b then take(2, v, ok)
      case v, ok = <-c then take(3, v, ok)
      end
    else
      for i = 1, #chans do
        if open[i] then
          select
          case v, ok = <-open[i] then take(i, v, ok)
          else runtime.gosched()
          end
        end
      end
    end
    maybe_wait(x // 1024 % 60)
  end
end

-- Each value once, none lost; per channel, sender and receiver in order.
local function check(nsenders, n, lists)
  local seen, total = {}, 0
  for r, got in ipairs(lists) do
    local last = {}
    for _, g in ipairs(got) do
      local key = g[1] * 1000 + g[2]
      local all = key * 1000000 + g[3]
      assert(not seen[all], "a value was received twice")
      seen[all] = true
      assert(g[3] > (last[key] or 0), "values of one sender out of order")
      last[key] = g[3]
      total = total + 1
    end
  end
  assert(total == nsenders * n, ("received %d of %d"):format(total, nsenders * n))
end

local function channels_round()
  local nchan, nsend, nrecv, n = rnd(1, 5), rnd(1, 6), rnd(1, 4), rnd(20, 150)
  local chans, lists, senders, receivers = {}, {}, sync.waitgroup(), sync.waitgroup()
  for i = 1, nchan do chans[i] = chan(rnd(0, 3) * rnd(0, 4)) end
  for r = 1, nrecv do
    lists[r] = {}
    local style = rnd(4)
    if style == 3 and nchan > 3 then style = 2 end
    receivers:go(receiver, r, chans, style, lists[r])
  end
  for s = 1, nsend do senders:go(sender, s, n, chans, rnd(4)) end
  senders:wait()
  for _, c in ipairs(chans) do c:close() end
  receivers:wait()
  check(nsend, n, lists)
end

local function locks_round()
  local mu, rw, wg = sync.mutex(), sync.rwmutex(), sync.waitgroup()
  local inside, shared, hits, writers = 0, {a = 0, b = 0}, 0, 0
  local ngo, n = rnd(2, 8), rnd(20, 100)
  for g = 1, ngo do
    wg:go(function()
      for i = 1, n do
        if (g + i) % 3 == 0 then
          local _ <close> = mu:lock()
          inside = inside + 1
          assert(inside == 1)
          maybe_wait(i % 20)
          hits = hits + 1
          inside = inside - 1
        elseif (g + i) % 3 == 1 then
          rw:lock()
          writers = writers + 1
          shared.a = shared.a + 1
          maybe_wait(i % 25)
          shared.b = shared.b + 1
          rw:unlock()
        else
          rw:rlock()
          assert(shared.a == shared.b)
          rw:runlock()
        end
      end
    end)
  end
  wg:wait()
  local want, wantw = 0, 0
  for g = 1, ngo do for i = 1, n do
    if (g + i) % 3 == 0 then want = want + 1 elseif (g + i) % 3 == 1 then wantw = wantw + 1 end
  end end
  assert(hits == want and writers == wantw and shared.a == wantw)
end

local function counters_round()
  local a, sem, cond_mu = atomic.int(0), sync.semaphore(2), sync.mutex()
  local cond, ready, holding, wg = sync.cond(cond_mu), false, atomic.int(0), sync.waitgroup()
  local once, ran = sync.once(), 0
  for g = 1, rnd(2, 10) do
    a:add(1)
    wg:go(function()
      once(function() ran = ran + 1; runtime.gosched() end)
      assert(ran == 1)
      cond_mu:lock()
      while not ready do cond:wait() end
      cond_mu:unlock()
      sem:acquire()
      assert(holding:add(1) <= 2)
      maybe_wait(g % 4)
      holding:add(-1)
      sem:release()
      a:add(-1)
    end)
  end
  maybe_wait(rnd(4))
  cond_mu:lock()
  ready = true
  cond:broadcast()
  cond_mu:unlock()
  wg:wait()
  assert(a:load() == 0)
end

local function timers_round()
  local c, n = chan(), rnd(1, 20)
  for i = 1, n do go function() time.sleep(rnd() * 0.002); c <- i end() end
  local sum, late = 0, time.after(20)
  for _ = 1, n do
    select
    case v = <-c then sum = sum + v
    case <-late then error("a goroutine did not wake")
    end
  end
  assert(sum == n * (n + 1) // 2)
end

for r = 1, rounds do
  local ok, e = xpcall(function() channels_round() locks_round() counters_round() timers_round() end, debug.traceback)
  if not ok then error(("round %d of `chan_model.lua %d %d`: %s"):format(r, rounds, seed, e), 0) end
end

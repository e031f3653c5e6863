-- heap_fire.lua [ROUNDS]: goroutines work on the same heap without locks: insert, delete, grow, iterate, take lengths of
-- and set metatables on the same tables, call table functions on the same arrays, write the same variables, pass
-- coroutines around, die with errors. All values can be checked: none may be torn; entries that nobody touches are met
-- once by each iteration; nobody loses an entry that only he writes; counters under a lock are exact. Afterwards the
-- memory is what it was after the first round.
local rounds = tonumber(arg[1]) or 10
local stress = (os.getenv "LUNGODEBUG" or ""):find "gcstress"
local G, STEPS = 5, stress and 60 or 1500
local WORDS = 0x0001000100010001

-- A value that proves itself: a table, a boxed or small integer, a float, a string, a closure.
local function make(x)
  local kind = x % 6
  if kind == 0 then return {x, x * 3 + 1, "r" .. x, f = function() return x end} end
  if kind == 1 then return x % 0x4000 * WORDS end
  if kind == 2 then return x + 0.25 end
  if kind == 3 then return "text" .. x .. "/" .. x end
  if kind == 4 then return function(y) return x, y end end
  return setmetatable({x = x}, {__index = {y = -x}})
end
local function check(v)
  local t = type(v)
  if t == "table" then
    if rawget(v, "x") then return assert(v.y == -v.x) end
    return assert(v[2] == v[1] * 3 + 1 and v[3] == "r" .. v[1] and v.f() == v[1])
  elseif math.type(v) == "integer" then
    return assert(v // WORDS * WORDS == v, "torn integer")
  elseif t == "number" then
    return assert(v % 1 == 0.25, "torn float")
  elseif t == "string" then
    local a, b = v:match "^text(%d+)/(%d+)$"
    return assert(a and a == b, "torn string")
  elseif t == "function" then
    local a, b = v(v)
    return assert(math.type(a) == "integer" and b == v)
  end
  return assert(v == nil, "a value from nowhere")
end

local function generator(seed)
  local x = seed * 7919 + 12345
  return function(n)
    x = (x * 1103515245 + 12345) & 0x7fffffff
    return (x >> 8) % n + 1
  end
end

-- ---- tables ----
local metas = {
  {__index = function() end},
  {__index = {}, __len = function() return 7 end},
  {__newindex = function(t, k, v) rawset(t, k, v) end},
  {__mode = ""},
}
local anchors = {}
for i = 1, 20 do anchors[i] = i * 6 + 1 end -- kept in the array part by what lies between them
for i = 1, 20 do anchors["anchor" .. i] = i * 6 + 2 anchors[i + 0.5] = i * 6 + 3 anchors[-i * 1000] = i * 6 + 4 end
local anchor_object = {}
anchors[anchor_object] = 5

local function iterate(t, how)
  local seen, met = {}, 0
  local function entry(k, v)
    assert(k ~= nil)
    check(v)
    if anchors[k] then
      assert(not seen[k], "an entry was met twice")
      seen[k] = true
      met = met + 1
    end
  end
  if how == 1 then
    for k, v in next, t do entry(k, v) end
  elseif how == 2 then
    for k, v in pairs(t) do entry(k, v) end
  else -- by hand: if the table grows meanwhile, the order is another one, and the key may be gone, as in Lua
    local k, v
    for _ = 1, 2000 do
      local ok
      ok, k, v = pcall(next, t, k)
      if not ok then assert(k == "invalid key to 'next'", k) end
      if not ok or k == nil then return end
      check(v)
    end
    return
  end
  local want = 0
  for k in pairs(anchors) do
    want = want + 1
    assert(seen[k], "an entry was not met")
  end
  assert(met == want)
end

local function tables(round, wg)
  local t, contended = {}, {"c1", "c2", 21, 22, 23, 3.75, true, -5}
  for k, x in pairs(anchors) do t[k] = make(x) end
  for g = 1, G do
    wg:go(function()
      local rnd, mine = generator(g + round * 100), {}
      for step = 1, STEPS do
        local op, key = rnd(20), nil
        local n = rnd(40)
        if n <= 15 then key = 20 + n * G + g elseif n <= 30 then key = "own" .. g .. "_" .. n else key = g + (2 * n + 1) / 128 end
        if op <= 6 then
          local v = make(step)
          rawset(t, key, v)
          mine[key] = v
        elseif op <= 9 then
          t[key] = nil
          mine[key] = nil
        elseif op <= 11 then
          assert(rawequal(rawget(t, key), mine[key]), "lost an update of a key of one's own")
        elseif op <= 13 then
          rawset(t, contended[rnd(#contended)], rnd(3) > 1 and make(step) or nil)
        elseif op <= 15 then
          check(rawget(t, contended[rnd(#contended)]))
        elseif op == 16 then
          setmetatable(t, metas[rnd(#metas + 1)])
        elseif op == 17 then
          assert(rawlen(t) >= 0 and #t >= 0)
        elseif op == 18 and step % 8 == 0 then -- grow and shrink
          for i = 1, 50 do rawset(t, 10000 * g + i, i * WORDS) end
          for i = 1, 50 do
            assert(rawget(t, 10000 * g + i) == i * WORDS)
            t[10000 * g + i] = nil
          end
        elseif op == 19 and step % 8 == 0 then
          iterate(t, rnd(3))
        else
          for i, v in ipairs(t) do if i > 20 then break end check(v) end
          for i = 1, 20 do check(assert(rawget(t, i))) end
        end
      end
      for k, v in pairs(mine) do assert(rawequal(rawget(t, k), v), "lost an entry") end
    end)
  end
  return function() iterate(t, 1) end
end

-- ---- arrays, with the library's functions: they may fail with an error, but not break anything ----
local function arrays(round, wg)
  local a = {}
  for i = 1, 30 do a[i] = i * WORDS end
  for g = 1, 3 do
    wg:go(function()
      local rnd = generator(g + round)
      for step = 1, STEPS // 3 do
        local op = rnd(9)
        if op == 1 and rawlen(a) < 200 then pcall(table.insert, a, step % 0x4000 * WORDS)
        elseif op == 2 then pcall(table.insert, a, rnd(10), step % 0x4000 * WORDS)
        elseif op == 3 then pcall(table.remove, a)
        elseif op == 4 then pcall(table.remove, a, rnd(10))
        elseif op == 5 then pcall(table.sort, a)
        elseif op == 6 then pcall(table.concat, a, ",")
        elseif op == 7 then for _, v in ipairs {table.unpack(a)} do check(v) end
        elseif op == 8 then pcall(table.move, a, 1, rnd(20), rnd(20))
        else for _, v in ipairs(a) do check(v) end end
        if rawlen(a) > 150 then pcall(table.move, {}, 1, 100, 51, a) end
      end
    end)
  end
end

-- ---- variables and objects under a lock ----
local function variables(round, wg)
  local v, mu, n, fields = make(round), sync.mutex(), 0, {n = 0}
  local function set(x) v = x end
  local function get() return v end
  local function count() local _ <close> = mu:lock() n = n + 1 fields.n = fields.n + 1 end
  for g = 1, G do
    wg:go(function()
      for i = 1, STEPS // 2 do
        set(make(i * G + g))
        check(get())
        if i % 2 == 0 then count() end
        if i % 5 == 0 then
          local old = get
          local wrapped = function() return old() end
          check(wrapped())
        end
      end
    end)
  end
  return function() assert(n == G * (STEPS // 4) and fields.n == n, "a counter under a lock is wrong") end
end

-- ---- coroutines on their way through many goroutines; some die ----
local function coroutines(_, wg)
  local N, HOPS = 8, STEPS // 10
  local pool, ended, died = chan(N), atomic.int(), atomic.int()
  for c = 1, N do
    pool:send(coroutine.create(function(who)
      local keep = {}
      for i = 1, HOPS do
        keep[i % 7 + 1] = make(i)
        who = coroutine.yield(i, keep[i % 7 + 1])
        for _, v in pairs(keep) do check(v) end
        assert(who >= 1 and who <= G)
      end
      if c % 2 == 0 then error(make(6)) end
      return "end"
    end))
  end
  for g = 1, G do
    wg:go(function()
      while ended:load() + died:load() < N do
        local co = pool:tryrecv()
        if not co then
          runtime.gosched()
        else
          local ok, a, b = coroutine.resume(co, g)
          if not ok then
            check(a)
            died:add(1)
          elseif a == "end" then
            ended:add(1)
          else
            check(b)
            pool:send(co)
          end
        end
      end
    end)
  end
  return function() assert(ended:load() == N // 2 and died:load() == N // 2) end
end

-- ---- goroutines that end badly while they hold things ----
local function deaths(_, wg)
  local mu, n, ended = sync.mutex(), 0, atomic.int()
  for i = 1, 20 do
    wg:go(function()
      defer ended:add(1)
      local _ <close> = mu:lock()
      n = n + 1
      local mine = make(i * 6)
      if i % 3 == 0 then
        local ok, e = pcall(function() local x <close> = setmetatable({}, {__close = function() check(mine) end}) error(mine) end)
        assert(not ok and e == mine)
      elseif i % 3 == 1 then
        runtime.goexit()
      end
    end)
  end
  return function() assert(n == 20 and ended:load() == 20) end
end

local function resident() -- 0: not to be known, as in a sanitizer's terabytes, where its own memory counts
  local f = io.open "/proc/self/statm"
  if not f then return 0 end
  local size, pages = f:read("n", "n")
  f:close()
  return size < 1 << 28 and pages * 4096 or 0
end
local function settle()
  for _ = 1, 3 do collectgarbage() end
  return collectgarbage "count" * 1024, resident()
end

local heap, rss
for round = 1, math.max(rounds, 2) do
  local wg, after = sync.waitgroup(), {}
  for _, part in ipairs {tables, arrays, variables, coroutines, deaths} do after[#after + 1] = part(round, wg) end
  wg:go(function() for _ = 1, 5 do collectgarbage() runtime.gosched() collectgarbage "step" end end)
  wg:wait()
  for _, f in ipairs(after) do f() end
  if round == 1 then
    after = nil
    heap, rss = settle()
  end
end
local heap2, rss2 = settle()
assert(heap2 <= heap * 1.2 + (256 << 10), ("the heap grew from %d to %d bytes"):format(heap, heap2))
assert(rss2 <= rss * 1.5 + (16 << 20), ("resident memory grew from %d to %d bytes"):format(rss, rss2))
assert(runtime.numgoroutine() <= 2, "goroutines were left behind")

-- Atomic operations are sequentially consistent: litmus tests of which each outcome is looked at that such an order of all
-- operations forbids, thousands of times, with goroutines that start each round together.
-- Protects: stdlib/atomiclib.c (also the quick halves).
local N = ROUNDS or os.getenv "LUNGODEBUG" and 80 or 1000 -- ROUNDS: race/silent_memory.lua
local function await(counter, i) -- with a pause if it takes long: there may be more processors than CPUs
  local spins = 0
  while counter:load() < i do
    spins = spins + 1
    if spins > 1000 then time.sleep(1e-5) elseif spins > 50 then runtime.gosched() end
  end
end
-- Runs the goroutines' functions round by round, each with the number of the round; when all have done one, check() looks.
local function litmus(check, ...)
  local fs, wg = {...}, sync.waitgroup()
  local arrived, start = atomic.int(), atomic.int()
  for k, f in ipairs(fs) do
    wg:go(function()
      for i = 1, N do
        if arrived:add(1) == #fs * i then
          if i > 1 then check(i - 1) end
          start:store(i)
        end
        await(start, i)
        f(i)
      end
    end)
  end
  wg:wait()
  check(N)
end
local kinds = {
  function() local a = atomic.int() return function(i) a:store(i) end, function() return a:load() end end,
  function() local a = atomic.value(0) return function(i) a:store(i) end, function() return a:load() end end,
  function() local a = atomic.value {0} return function(i) a:store {i} end, function() return a:load()[1] end end,
  function() local a = atomic.int() return function(i) a:swap(i) end, function() return a:add(0) end end,
  function()
    local a = atomic.value(0)
    return function(i) local old repeat old = a:load() until a:cas(old, i) end, function() return a:load() end
  end,
}
for k, kind in ipairs(kinds) do
  -- Store buffering: one of two that store and then look at what the other one stores sees it.
  local store_x, load_x = kind()
  local store_y, load_y = kind()
  local r1, r2
  litmus(function(i) assert(r1 == i or r2 == i, "store buffering") end,
    function(i) store_x(i) r1 = load_y() end, function(i) store_y(i) r2 = load_x() end)
  -- Message passing: who sees the flag sees the plain writes before it.
  local flag, seen = kind()
  local data, t = 0, {}
  litmus(function() end, function(i) if i % 2 == 1 then data = i t[i % 16] = i t.n = i flag(i) end end, function(i)
    local got = seen()
    if i % 2 == 1 and got == i then assert(data == i and t[i % 16] == i and t.n == i, "message passing") end
  end)
  -- Two who read see two independent stores in the same order.
  local a1, a2, b1, b2
  store_x(0) store_y(0)
  litmus(function(i) assert(not (a1 == i and a2 ~= i and b1 == i and b2 ~= i), "independent reads") end,
    function(i) store_x(i) end, function(i) store_y(i) end,
    function() a1 = load_x() a2 = load_y() end, function() b1 = load_y() b2 = load_x() end)
  -- Load buffering: not both see what the other one stores later. And one variable never goes back.
  litmus(function(i) assert(not (r1 == i and r2 == i), "load buffering") end,
    function(i) r1 = load_x() store_y(i) end, function(i) r2 = load_y() store_x(i) end)
  litmus(function() end, function(i) store_x(N + i) end, function()
    local u, v = load_x(), load_x()
    assert(u <= v or u <= N, "coherence")
  end)
end
local wg = sync.waitgroup()
-- Store buffering once more, with nothing but the two operations in between, in lock step and often: what the hardware does
-- to a store that is no full barrier shows only in so short a time.
local function buffer(a, b)
  local ready, got = {atomic.int(), atomic.int()}, {{}, {}}
  local rounds = N * 10
  local function run(me, mine, theirs)
    local r, here, there = got[me], ready[me], ready[3 - me]
    for i = 1, rounds do
      here:store(i)
      await(there, i)
      mine:store(i)
      r[i] = theirs:load()
    end
  end
  wg:go(run, 1, a, b)
  wg:go(run, 2, b, a)
  wg:wait()
  for i = 1, rounds do assert(got[1][i] >= i or got[2][i] >= i, "store buffering") end
end
buffer(atomic.int(), atomic.int())
buffer(atomic.value(0), atomic.value(0))
-- Dekker's mutual exclusion needs just that: two flags, one may enter.
local want, inside = {atomic.bool(), atomic.bool()}, 0
local entered = atomic.int()
local function enter(me) return function()
  want[me]:store(true)
  if not want[3 - me]:load() then
    inside = inside + 1
    assert(inside == 1, "both are inside")
    inside = inside - 1
    entered:add(1)
  end
  want[me]:store(false)
end end
litmus(function() end, enter(1), enter(2))
-- Read, change and write in one step: nothing is lost, each value is handed out once.
local n, bits, once, box = atomic.int(), atomic.int(), atomic.int(), atomic.value(0)
local sums, got = {0, 0}, {{}, {}}
local function change(me) return function(i)
  got[me][i] = n:add(1)
  bits:bor(1 << (i % 30 * 2 + me - 1))
  bits:band(~(1 << ((i + 1) % 30 * 2 + me - 1)))
  if once:cas(i - 1, i) then sums[me] = sums[me] + 1 end
  local old
  repeat old = box:load() until box:compareandswap(old, old + 1)
end end
litmus(function(i) assert(bits:load() == 3 << (i % 30 * 2) | bits:load() and once:load() == i and box:load() == 2 * i) end, change(1), change(2))
assert(n:load() == 2 * N and sums[1] + sums[2] == N)
local seen = {}
for me = 1, 2 do for i = 1, N do assert(not seen[got[me][i]]) seen[got[me][i]] = true end end
print "ok" -- expect: ok

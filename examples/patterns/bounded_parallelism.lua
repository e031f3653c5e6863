-- Twelve pieces of work, at most three at a time: once with a limit on a group, once with a semaphore and a deadline.
-- Expect: 650 and never more than three; an error that stops the rest; a wait that is given up

local inside, most = atomic.int(), atomic.int()
local function square(n)
  local now = inside:add(1)
  local m = most:load()
  while now > m and not most:compareandswap(m, now) do m = most:load() end
  time.sleep(0.005)
  inside:add(-1)
  return n * n
end

local group = sync.errgroup(context.background())
local sum = atomic.int()
group:setlimit(3)
for n = 1, 12 do
  group:go(function() sum:add(square(n)) end)    -- waits while three are at work
end
print(group:wait())
print("sum " .. sum:load(), "never more than three: " .. tostring(most:load() <= 3))

-- The first error cancels the group's context: the others need not go on.
local group, ctx = sync.errgroup(context.background())
for n = 1, 12 do
  group:go(function()
    if n == 7 then return nil, "piece 7 is broken" end
    <-ctx:done()
  end)
end
print(group:wait())

-- Pieces of different weight share three units; nobody waits longer than the deadline.
local units = sync.semaphore(3)
local ctx, cancel = context.withtimeout(context.background(), 0.02)
defer cancel()
print("two units", units:acquire(2, ctx))
print("two more", units:acquire(2, ctx))
units:release(2)

-- An error group: the first error wins and cancels the context, a limit holds, wait waits for all whatever happens.
-- Protects: stdlib/errgroup.c.
local g, ctx = sync.errgroup(context.background())
for i = 1, 10 do g:go(function() return i end) end
print(g:wait())                                    -- expect: true
print(ctx:err())                                   -- expect: context canceled
g, ctx = sync.errgroup(context.background())
local ended = atomic.int()
for i = 1, 5 do
  g:go(function()
    if i == 3 then return nil, "third" end
    ctx:done():recv()
    ended:add(1)
    return nil, "later"
  end)
end
print(g:wait())                                    -- expect: nil	third
print(ended:load(), ctx:err(), ctx:cause())        -- expect: 4	context canceled	third
g = sync.errgroup()
g:go(function() error("raised", 0) end)
print(g:wait())                                    -- expect: nil	raised
g = sync.errgroup()
g:setlimit(3)
local now, worst = atomic.int(), atomic.int()
for _ = 1, 40 do
  g:go(function()
    local n = now:add(1)
    if n > 3 then worst:store(n) end
    time.sleep(0.0001)
    now:add(-1)
  end)
end
print(g:wait(), worst:load())                      -- expect: true	0
local outer, cancel = context.withcancel(context.background())
g, ctx = sync.errgroup(outer)
g:go(function() ctx:done():recv() return nil, ctx:err() end)
cancel()
print(g:wait())                                    -- expect: nil	context canceled

-- A tree of contexts: cancelling reaches exactly what lies below, once, also while others add, cancel and let go; a child
-- that ends first leaves the parent; values and deadlines are those of the nearest above.
-- Protects: runtime/context.c, stdlib/contextlib.c.
local root = context.background()
local function live(c) return c:err() == nil and select(3, c:done():tryrecv()) == false end
local function dead(c, why) local _, ok, ready = c:done():tryrecv() return c:err() == why and ready and not ok end
-- Parent first: children of all kinds end with it, at once.
local parent, cancel = context.withcancel(root)
local value = context.withvalue(parent, "k", 1)
local child, stop_child = context.withcancel(value)
local timed = context.withtimeout(value, 3600)
local grandchild = context.withvalue(timed, "k2", 2)
local sibling, stop_sibling = context.withcancel(root)
for _, c in ipairs {parent, value, child, timed, grandchild} do assert(live(c)) end
cancel()
for _, c in ipairs {parent, value, child, timed, grandchild} do assert(dead(c, "context canceled")) end
assert(live(sibling))
assert(dead((context.withcancel(parent)), "context canceled"), "made below a dead one")
assert(dead((context.withtimeout(grandchild, 3600)), "context canceled"))
stop_child() cancel() stop_sibling()
assert(dead(sibling, "context canceled"))
-- Child first: the parent lives; the child is taken out.
parent, cancel = context.withcancel(root)
child, stop_child = context.withcancel(parent)
stop_child()
assert(dead(child, "context canceled") and live(parent))
cancel()
-- Random layers: values are found, every context below the cancelled one ends with the right reason.
math.randomseed(7)
for _, timeout in ipairs {false, true} do
  for _ = 1, 20 do
    local ctx, cancels, vals, chain = root, {}, {}, {}
    for i = 1, 60 do
      local kind, c = math.random(3), nil
      if kind == 1 then
        ctx = context.withvalue(ctx, i, "v" .. i)
        vals[i] = "v" .. i
      elseif kind == 2 then
        ctx, c = context.withcancel(ctx)
      else
        ctx, c = context.withtimeout(ctx, timeout and 0.002 or 3600)
      end
      cancels[#cancels + 1] = c
      chain[i] = ctx
    end
    for i = 1, 60 do assert(ctx:value(i) == vals[i]) end
    if timeout and ctx:deadline() then
      ctx:done():recv()
      assert(ctx:err() == "context deadline exceeded")
    elseif #cancels > 0 then
      cancels[1]()
      assert(dead(ctx, "context canceled"))
    end
    for _, c in ipairs(cancels) do c() end
  end
end
-- Two cancel each other's tasks; a hundred cancel at once; making and cancelling race.
local a, stop_a = context.withcancel(root)
local b, stop_b = context.withcancel(root)
local wg = sync.waitgroup()
wg:go(function() a:done():recv() stop_b() end)
wg:go(function() b:done():recv() stop_a() end)
stop_a()
wg:wait()
parent, cancel = context.withcancel(root)
local made = {}
for i = 1, 100 do made[i] = {context.withcancel(parent)} end
for i = 1, 100 do wg:go(function() made[i][2]() made[i][1]:done():recv() end) end
wg:wait()
assert(live(parent))
for _ = 1, 50 do
  local p, stop = context.withcancel(root)
  for _ = 1, 4 do
    wg:go(function()
      for i = 1, 5 do
        local c, stop_c = context.withcancel(p)
        if i % 2 == 0 then stop_c() end
        c:done():recv()
      end
    end)
  end
  wg:go(function() runtime.gosched() stop() end)
  wg:wait()
end
print "ok" -- expect: ok

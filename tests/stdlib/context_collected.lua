-- A context nobody refers to is collected, though its parent lives on and its deadline is far; one somebody waits for is
-- not.
-- Protects: runtime/context.c (context_trace, forget_dead), vm/gc_mark.c (gc_mark_after).
local function live() collectgarbage() collectgarbage() return runtime.memstats().live end
local parent, cancel = context.withcancel(context.background())
local before = live()
for i = 1, 20000 do
  local c = context.withcancel(parent)
  context.withtimeout(c, 3600)
  if i % 10 == 0 then c:done() end
end
print(live() - before < 200000)             -- expect: true
-- Only the channel, only the cancel function, only a child: each keeps it.
local done = context.withtimeout(context.withcancel(parent), 0.05):done()
local _, cancelkid = context.withcancel(parent)
local grandchild = context.withvalue(context.withcancel(parent), "k", "v")
local freed = setmetatable({}, { __mode = "k" })
do
  local c = context.withcancel(parent)
  freed[c] = true
  freed[grandchild] = true
end
live()
local n = 0
for c in pairs(freed) do n = n + 1 assert(c == grandchild) end
print(n)                                    -- expect: 1
<-done
cancelkid()
print(grandchild:err())                     -- expect: nil
-- Kids that die between others that live: the list stays sound.
local kids = {}
for i = 1, 1000 do
  local c = context.withcancel(parent)
  if i % 3 == 0 then kids[#kids + 1] = c end
end
live()
for i = 1, 1000 do kids[#kids + 1] = context.withcancel(parent) end
cancel()
for _, c in ipairs(kids) do assert(c:err() == "context canceled") end
print(#kids, grandchild:err())              -- expect: 1333	context canceled
-- A finished child leaves its parent: no growth under a long-lived one.
local root = context.withcancel(context.background())
local keep = {}
for i = 1, 1000 do
  local c, stop = context.withcancel(root)
  keep[i] = c
  stop()
end
print(keep[1]:err(), root:err())            -- expect: context canceled	nil

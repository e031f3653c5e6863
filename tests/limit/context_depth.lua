-- A chain of contexts so deep that recursion would not do; marking it, cancelling it, asking through it.
-- Protects: runtime/context.c (cancel_tree_locked), stdlib/contextlib.c.
local top, cancel = context.withcancel(context.background())
local leaf = context.withvalue(top, "k", "v")
for _ = 1, 200000 do leaf = context.withcancel(leaf) end
collectgarbage()
cancel()
print(leaf:err(), leaf:value("k"), #tostring(leaf) < 400)   -- expect: context canceled	v	true
for i = 1, 200000 do leaf = context.withvalue(leaf, i, i) end
print(leaf:value("k"), leaf:err())                          -- expect: v	context canceled

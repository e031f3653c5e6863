-- Fork and join: an anonymous goroutine is forked, the wait group is the join point.
-- Expect: forked, joined
local wg = sync.waitgroup()

wg:add(1)
go function()
  defer wg:done()
  print("forked")
end()

wg:wait()
print("joined")

-- options: --race
-- What comes before `go` happens before the goroutine, in both forms, with arguments and captured variables.
local t, n = {1}, 1
t.x = 2
n = 3
local done = chan()
go(function(u) assert(n == 3 and u.x == 2 and #u == 1) done <- true end, t)
<-done
n, t.x = 4, 5
go function() assert(n == 4 and t.x == 5) done <- true end()
<-done
for i = 1, 3 do -- goroutines that start goroutines
  go(function() t[i] = i go(function() t[i] = t[i] + 1 done <- true end) end)
end
for _ = 1, 3 do <-done end
assert(#t == 3)

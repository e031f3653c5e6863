-- The first choice of a processor looked into the queue of those who gave way before it looked at its own: a main
-- goroutine that called gosched right after its first `go` ran on at once (runtime/sched.c: find_local).
-- procs: 1
local order = {}
go table.insert(order, "other")
runtime.gosched()
table.insert(order, "main")
print(table.concat(order, " "))   -- expect: other main

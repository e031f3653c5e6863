-- Locks are not reentrant: who locks twice waits for itself, which is a deadlock that the dump shows.
-- Protects: runtime/sync.c (no owner), runtime/proc.c (deadlock).
-- expect-status: 2
-- expect-stderr: ^fatal error: all goroutines are asleep - deadlock!$
-- expect-stderr: ^goroutine 1 \[sync.Mutex.Lock\]:$
-- expect-stderr: ^goroutine [0-9]+ \[sync.RWMutex.Lock\]:$
-- expect-stderr: ^goroutine [0-9]+ \[sync.RWMutex.RLock\]:$
-- expect-stderr: ^goroutine [0-9]+ \[sync.Once\]:$
-- expect-stderr: ^goroutine [0-9]+ \[sync.WaitGroup.Wait\]:$
-- expect-stderr: ^created by goroutine 1 at tests/golike/lock_twice_deadlock.lua:13$
go(function() local rw = sync.rwmutex() rw:rlock() rw:lock() end)
go(function() local rw = sync.rwmutex() rw:lock() rw:rlock() end)
go(function() local once = sync.once() once(function() once(print) end) end)
go(function() local wg = sync.waitgroup() wg:go(function() wg:wait() end) end)
local mu = sync.mutex()
mu:lock()
mu:lock()

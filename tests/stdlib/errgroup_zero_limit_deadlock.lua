-- A limit of zero lets nobody start.
-- Protects: stdlib/errgroup.c, runtime/sync.c (sem_queue).
-- expect-status: 2
-- expect-stderr: ^goroutine 1 \[sync.Semaphore\]:$
local g = sync.errgroup()
g:setlimit(0)
g:go(print)

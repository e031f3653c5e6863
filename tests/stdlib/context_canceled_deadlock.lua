-- A stopped deadline is no hope any more: the cancelled context's timer is gone, so this is a deadlock at once.
-- Protects: runtime/context.c (finish_locked).
-- expect-status: 2
-- expect-stderr: ^fatal error: all goroutines are asleep - deadlock!$
local _, cancel = context.withtimeout(context.background(), 3600)
cancel()
chan():recv()

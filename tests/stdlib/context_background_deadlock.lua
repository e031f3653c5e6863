-- Nobody can ever cancel the background: waiting for it alone is a deadlock.
-- Protects: stdlib/contextlib.c.
-- expect-status: 2
-- expect-stderr: ^fatal error: all goroutines are asleep - deadlock!$
-- expect-stderr: ^goroutine 1 \[chan receive\]:$
context.background():done():recv()

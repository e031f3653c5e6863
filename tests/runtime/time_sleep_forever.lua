-- Sleeping for ever is a pending timer, not a deadlock: main's end ends it.
-- Protects: stdlib/timelib.c.
go(function() time.sleep(math.huge) print("never") end)
time.sleep(0.01)
print("end")   -- expect: end

-- Durations as Go prints them.
-- Protects: stdlib/timelib.c.
for _, d in ipairs {0, 1, 1.5, 90.5, 3600, 3661.25, 0.001, 0.0015, 1e-6, 2.5e-6, 1e-9, -1.5, -0.25, 7200.000000001} do
  print(time.format(d))
end
-- expect: 0s
-- expect: 1s
-- expect: 1.5s
-- expect: 1m30.5s
-- expect: 1h0m0s
-- expect: 1h1m1.25s
-- expect: 1ms
-- expect: 1.5ms
-- expect: 1µs
-- expect: 2.5µs
-- expect: 1ns
-- expect: -1.5s
-- expect: -250ms
-- expect: 2h0m0.000000001s
print(time.second, time.minute, time.hour, time.millisecond)   -- expect: 1	60	3600	0.001

-- sleep: at least as long as asked, also on many at once; zero and negative return at once; a huge or
-- infinite one does not end; a timer that becomes due while it is armed is not missed.
-- Protects: runtime/park.c (g_sleepc), runtime/timer.c.
local wg = sync.waitgroup()
for i = 1, 50 do
  wg:go(function()
    local d = i * 0.0003
    local t0 = time.monotonic()
    time.sleep(d)
    assert(time.monotonic() - t0 >= d)
  end)
end
wg:wait()
local t0 = time.monotonic()
for _ = 1, 1000 do time.sleep(0) time.sleep(-1) time.sleep(-math.huge) time.sleep(math.mininteger) end
print(time.monotonic() - t0 < 5)                            -- expect: true
local huge = chan()
for _, d in ipairs {math.huge, 1e300, math.maxinteger, 2 ^ 63, 9.3e9} do
  go(function() time.sleep(d) huge:send(d) end)
  time.after(d)
  time.timer(d):reset(d)
  time.afterfunc(d, function() huge:send(d) end)
  time.ticker(d)
end
local i = select {{recv = huge}, {recv = time.after(0.02)}}
print(i)                                                    -- expect: 2
for _ = 1, os.getenv "LUNGODEBUG" and 20 or 500 do -- due at once or in nanoseconds, with nobody else there to look
  assert((<-time.after(0)) and (<-time.after(1e-9)) and (<-time.timer(-1).c))
  time.sleep(1e-9)
end
for _ = 1, 100 do -- zero sleeps and collections do not lock each other out
  wg:go(function() for _ = 1, 10 do time.sleep(0) end end)
end
collectgarbage()
wg:wait()
print "ok"                                                  -- expect: ok

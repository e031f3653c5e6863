-- A select with a timeout of any duration: negative or zero at once, infinite or huge never, NaN an error before anything is
-- chosen; the same for contexts.
-- Protects: stdlib/timelib.c, runtime/context.c, runtime/timer.c (time_checkduration).
local never, bg = chan(), context.background()
local function timeout(d) select case <-never then return "never" case <-time.after(d) then return "timeout" end end
local function form(d) return select {{recv = never}, {recv = time.after(d), function(v) return type(v) end}} end
local function deadline(d) return (select {{recv = never}, {recv = (context.withtimeout(bg, d)):done(), function(v, ok) return ok end}}) end
for _, d in ipairs {0, 0.0, -0.0, -1, -1e-9, 1e-9, 1e-12, -1e300, -math.huge, math.mininteger} do
  assert(timeout(d) == "timeout" and form(d) == "number" and deadline(d) == false, d)
end
for _, d in ipairs {math.huge, 1e300, 1 << 40, math.maxinteger, 9.3e9} do
  local ready = chan(1)
  ready:send "ready"
  select case <-time.after(d) then error "timeout" case v = <-ready then assert(v == "ready") end
  select case <-time.after(d) then error "timeout" case <-(context.withtimeout(bg, d)):done() then error "timeout" else end
  go(function() runtime.gosched() ready:send "later" end)
  select case <-time.after(d) then error "timeout" case v = <-ready then assert(v == "later") end
  go(function() time.sleep(d) error "slept" end)
  time.afterfunc(d, function() error "started" end)
end
local c = chan(1)
c:send(1)
for _, f in ipairs {
  function() select case <-c then case <-time.after(0 / 0) then end end,
  function() select {{recv = c}, {recv = time.after(0 / 0)}} end,
  function() select case <-c then case <-(context.withtimeout(bg, 0 / 0)):done() then end end,
} do
  local ok, e = pcall(f)
  assert(not ok and e:find("duration is NaN", 1, true) and #c == 1)
end
-- A timeout that is not needed leaves nothing: neither timer nor goroutine.
local before = runtime.numgoroutine()
for _ = 1, 1000 do
  select case v = <-c then c <- v case <-time.after(3600) then error "timeout" end
end
assert(runtime.numgoroutine() == before)
-- The losing timer's value is not seen by the next select.
local t = time.timer(0)
while #t.c == 0 do runtime.gosched() end
t:reset(3600)
select case <-t.c then error "stale" else end
print "ok" -- expect: ok

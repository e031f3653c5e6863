-- Goroutines that hand a turn around by spinning, without a call that could give way, get on whatever the number of
-- processors; one that locks its thread yields, blocks, and may end without unlocking it.
-- Protects: runtime/sysmon.c (preemption), runtime/sched.c, runtime/proc.c (lockosthread).
local ROUNDS = os.getenv "LUNGODEBUG" and 1 or 2
local turn, wg = atomic.int(), sync.waitgroup()
local P = 3
for p = 0, P - 1 do
  wg:go(function()
    for i = 0, ROUNDS - 1 do
      while turn:load() ~= P * i + p do end
      turn:store(P * i + p + 1)
    end
  end)
end
wg:wait()
assert(turn:load() == P * ROUNDS)
turn:store(0) -- started by goroutines that are started
for p = 0, 1 do
  wg:go(function()
    for q = 0, 1 do
      wg:go(function()
        while turn:load() ~= 2 * p + q do end
        turn:add(1)
      end)
    end
  end)
end
wg:wait()
assert(turn:load() == 4)
-- A thread of one's own, yielding until it is asked.
local asked, answered = chan(), chan()
for _, locked in ipairs {false, true} do
  go(function()
    if locked then runtime.lockosthread() end
    while true do
      select
      case <-asked then answered:send(true) return
      else runtime.gosched()
      end
    end
  end)
  asked:send(true)
  answered:recv()
end
-- It blocks on channels, sleeps, starts others, and ends locked; the others go on.
local c = chan()
for i = 1, 20 do
  wg:go(function()
    runtime.lockosthread()
    for _ = 1, 5 do c:send(i) end
    if i % 2 == 0 then runtime.unlockosthread() end
    time.sleep(0)
    wg:go(function() runtime.gosched() end)
    if i % 3 == 0 then runtime.goexit() end
  end)
end
local sum = 0
for _ = 1, 100 do sum = sum + c:recv() end
wg:wait()
print(sum) -- expect: 1050

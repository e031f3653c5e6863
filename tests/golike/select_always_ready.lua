-- A loop around a select of which one case is always ready serves the others, too: a timer, a channel that somebody
-- closes, producers on another channel.
-- Protects: runtime/select.c (choose), the timers' turn in the scheduler.
local busy = chan()
busy:close()
for round = 1, 3 do
  local done, n = false, 0
  local timer, stop = time.after(0.002), chan()
  if round == 2 then go(function() stop:close() end) end
  while not done or n == 0 do -- on a slow machine the timer may have fired before the first look
    select
    case <-busy then n = n + 1
    case <-timer then done = round ~= 2
    case <-stop then done = true
    end
  end
end
-- Two that talk to the one that waits for the timer.
local c, over = chan(), chan()
for _ = 1, 2 do
  go(function()
    while true do
      select
      case c <- true then
      case <-over then return
      end
    end
  end)
end
local timer, got, stopped = time.after(0.005), 0, false
while not stopped do
  select
  case <-c then got = got + 1
  case <-timer then
    if got > 0 then stopped = true over:close() else timer = time.after(0.005) end
  end
end
-- Two that talk to each other, each with a timer of its own.
local wg = sync.waitgroup()
for _ = 1, 2 do
  wg:go(function()
    local mine = time.after(0.005)
    while true do
      select
      case c <- true then
      case <-c then
      case <-mine then return
      end
    end
  end)
end
wg:wait()
-- Producers that are always there: no channel is forgotten, though two that talk to each other may do so for a while.
local a, b, quit = chan(), chan(), chan()
for _, ch in ipairs {a, b} do
  for _ = 1, 2 do
    wg:go(function()
      while true do
        select
        case ch <- true then
        case <-quit then return
        end
      end
    end)
  end
end
local na, nb, late = 0, 0, time.after(20)
while na < 200 or nb < 200 do
  select
  case <-a then na = na + 1
  case <-b then nb = nb + 1
  case <-late then error("received " .. na .. " and " .. nb)
  end
end
quit:close()
wg:wait()
print "ok" -- expect: ok

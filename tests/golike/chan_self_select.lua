-- Goroutines that offer to send and to receive on the same channel in one select never get their own value.
-- Protects: runtime/select.c (a select has a waiter in both queues of one channel).
local N = os.getenv "LUNGODEBUG" and 100 or 2000
for _, cap in ipairs {0, 10} do
  local c, wg = chan(cap), sync.waitgroup()
  local own, sums = atomic.int(), {0, 0}
  for id = 1, 2 do
    wg:go(function()
      for i = 1, N do
        if (i + id) % 2 == 0 then
          select
          case c <- id then sums[id] = sums[id] + 1
          case v = <-c then
            if cap == 0 and v == id then own:add(1) end
          end
        else
          select { -- the other order of the cases, the other form
            {recv = c, function(v) if cap == 0 and v == id then own:add(1) end end},
            {send = c, value = id, function() sums[id] = sums[id] + 1 end},
          }
        end
      end
    end)
  end
  -- One may be left alone at the end: take and give until both are done.
  local stop, helper = chan(), chan()
  go(function()
    while true do
      select
      case <-stop then helper:send(true) return
      case c <- 0 then runtime.gosched()
      case <-c then runtime.gosched()
      end
    end
  end)
  wg:wait()
  stop:close()
  helper:recv()
  print(own:load(), sums[1] + sums[2] > 0) -- expect: 0	true
end
-- expect: 0	true

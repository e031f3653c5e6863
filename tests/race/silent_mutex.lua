-- options: --race
-- Mutexes: lock, trylock, to-be-closed, through waits and hand-overs; also held across channel operations.
local mu, wg, n, list = sync.mutex(), sync.waitgroup(), 0, {}
for i = 1, 20 do
  wg:go(function()
    for _ = 1, 20 do
      mu:lock()
      n = n + 1
      if n % 7 == 0 then runtime.gosched() end
      list[#list + 1] = i
      mu:unlock()
    end
    while not mu:trylock() do runtime.gosched() end
    n = n + 1
    mu:unlock()
    local _ <close> = mu:lock()
    n = n + 1
  end)
end
wg:wait()
assert(n == 440 and #list == 400)

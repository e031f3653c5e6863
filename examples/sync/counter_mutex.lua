-- A thousand goroutines increment one counter; the mutex makes each increment whole.
-- Expect: Final Counter: 1000
local mu, wg = sync.mutex(), sync.waitgroup()
local counter = 0

for _ = 1, 1000 do
  wg:go(function()
    local _ <close> = mu:lock()
    counter = counter + 1
  end)
end

wg:wait()
print("Final Counter: " .. counter)

-- An atomic counter needs no lock.
-- Expect: Counter: 1000
local counter, wg = atomic.int(0), sync.waitgroup()

for _ = 1, 1000 do
  wg:add(1)
  go function()
    counter:add(1)
    wg:done()
  end()
end

wg:wait()
print("Counter: " .. counter:load())

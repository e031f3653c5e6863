-- once runs its function a single time, whoever comes first; the others wait until it is done.
-- Expect: initialized, one time; then ready, five times.
local once, wg = sync.once(), sync.waitgroup()
local config

local function initialize()
  time.sleep(0.02)
  config = "ready"
  print("initialized")
end

for _ = 1, 5 do
  wg:go(function()
    once(initialize)
    print(config)
  end)
end
wg:wait()

-- A module that says it is safe is entered by two threads at once; one that does not, never.
-- Protects: vm/cmodule.c (cmodule_setsafe).
-- procs: 2
collectgarbage "stop" -- it would wait for who is inside
local safe, locked = require "meetsafe", require "meetlocked"
local function both(meet, ms)
  local res = chan(2)
  for i = 1, 2 do go(function() res:send(meet(2, ms)) end) end
  local a, b = res:recv(), res:recv()
  return a and b
end
print(both(safe, 10000))   -- expect: true
local r = chan(2)
for i = 1, 2 do go(function() r:send(locked(2, 20)) end) end
local a, b = r:recv(), r:recv()
print(a and b)             -- expect: false

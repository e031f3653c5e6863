-- The syntax form: receive with one and two names, send, default, parked and not.
-- Protects: runtime/select.c through OP_SELECT.
local a, b = chan(1), chan(1)
local function step()
  select
  case v, ok = <-a then return "a", v, ok
  case v = <-b then return "b", v
  else return "none"
  end
end
print(step())                 -- expect: none
a <- 1
print(step())                 -- expect: a	1	true
b <- 2
print(step())                 -- expect: b	2
a:close()
print(step())                 -- expect: a	nil	false
local c, quit = chan(), chan()
go(function()
  for i = 1, 3 do print(<-c) end
  quit:close()
end)
local x, y = 10, 20
while true do
  local stop = false
  select
  case c <- x then x, y = y, x + y
  case <-quit then stop = true
  end
  if stop then break end
end
-- expect: 10
-- expect: 20
-- expect: 30
print("quit")                 -- expect: quit
local nothing
select
case <-nothing then print("never")
else print("nil is never ready")  -- expect: nil is never ready
end

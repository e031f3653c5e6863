-- One channel in several cases, and a select that could talk to itself but must not.
-- Protects: runtime/select.c (lock order without duplicates).
local c = chan()
print(select {{recv = c}, {send = c, value = 1}, {recv = c}, default = true})   -- expect: 0
go(function() c:send("v") end)
local i, v = select {{recv = c}, {recv = c}, {recv = c}}
print(v, i >= 1 and i <= 3)   -- expect: v	true
local many = {}
for k = 1, 100 do many[k] = {recv = chan()} end
many[77].recv = chan(1)
many[77].recv:send("77")
print(select(many))           -- expect: 77	77	true

-- select{...}: index, value, ok; handlers; defaults.
-- Protects: stdlib/golib.c, runtime/select.c.
local a, b = chan(1), chan(1)
print(select {{recv = a}, {recv = b}, default = true})            -- expect: 0
print(select {{recv = a}, default = function(...) return "d", select("#", ...) end})  -- expect: d	0
a:send("va")
print(select {{recv = a}, {recv = b}})                            -- expect: 1	va	true
print(select {{recv = a}, {send = b, value = 42}})                -- expect: 2
print(select {{recv = a}, {recv = b, function(v, ok) return "h", v, ok end}})  -- expect: h	42	true
print(select {{send = a, value = 1, function(...) return "sent", select("#", ...) end}})  -- expect: sent	0
a:recv()
b:close()
print(select {{recv = b}})                                        -- expect: 1	nil	false
print(select {{}, {recv = nil}, {send = nil, value = 1}, {recv = b}})  -- expect: 4	nil	false
-- It waits, and the goroutine that comes wakes it.
go(function() runtime.gosched() a:send("later") end)
print(select {{recv = a}, {recv = chan()}})                       -- expect: 1	later	true
local c = chan()
go(function() runtime.gosched() a:send(c:recv() + 1) end)
print(select {{send = c, value = 7}})                             -- expect: 1
print((a:recv()))                                                 -- expect: 8
-- Lua's own select is untouched.
print(select(2, "x", "y", "z"))                                   -- expect: y	z
print(select("#", nil, nil), select(-1, 1, 2), (select("#", {})))  -- expect: 2	2	1
print(pcall(select, 0))  -- expect: false	bad argument #1 to 'select' (index out of range)

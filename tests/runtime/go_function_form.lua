-- go(f, ...): arguments, callable objects, refusals; defer(f, ...) ends with its block.
-- Protects: stdlib/golib.c.
local out = chan()
local function err(f)
  local _, e = pcall(f)
  print((tostring(e):gsub("^[^:]*:%d+: ", "")))
end
go(function(...) out:send(select("#", ...)) end, nil, 2, nil)
print(<-out)                                     -- expect: 3
go(setmetatable({}, {__call = function(_, x) out:send(x) end}), "called")
print(<-out)                                     -- expect: called
print(select("#", go(function() end)))           -- expect: 0
err(function() go(nil) end)                      -- expect: bad argument #1 to 'go' (function expected, got nil)
err(function() go() end)                         -- expect: bad argument #1 to 'go' (function expected, got no value)
err(function() defer(1) end)                     -- expect: bad argument #1 to 'defer' (function expected, got number)
do
  local _ <close> = defer(print, "second", nil, "args")
  local _ <close> = defer(function(...) print("first", select("#", ...)) end)
  print("block")
end
-- expect: block
-- expect: first	0
-- expect: second	nil	args
err(function() local _ <close> = defer(error, "replaced", 0) error("x") end)   -- expect: replaced
-- What only looks callable is refused here, not in the goroutine: __call may be callable itself, however deep.
local dead = setmetatable({}, {__call = 5})
local deep = setmetatable({}, {__call = setmetatable({}, {__call = function(_, _, x) out:send(x) end})})
err(function() go(dead) end)                     -- expect: bad argument #1 to 'go' (function expected, got table)
err(function() go dead() end)                    -- expect: attempt to call a table value (upvalue 'dead')
err(function() defer dead() end)                 -- expect: attempt to call a table value (upvalue 'dead')
err(function() sync.waitgroup():go(dead) end)    -- expect: bad argument #1 to 'go' (function expected, got table)
go deep("deep")
print(<-out)                                     -- expect: deep
local endless = {}
setmetatable(endless, {__call = endless})
err(function() go(endless) end)                  -- expect: bad argument #1 to 'go' (function expected, got table)
err(endless)                                     -- expect: stack overflow

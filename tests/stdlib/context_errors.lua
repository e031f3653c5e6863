-- Bad arguments are named; a context shows how it was made.
-- Protects: stdlib/contextlib.c.
local bg = context.background()
local function try(f, ...) print((select(2, pcall(f, ...)):gsub("^[^:]*:%d+: ", ""))) end
try(context.withcancel)                    -- expect: bad argument #1 to 'context.withcancel' (context expected, got no value)
try(context.withcancel, {})                -- expect: bad argument #1 to 'context.withcancel' (context expected, got table)
try(context.withtimeout, bg)               -- expect: bad argument #2 to 'context.withtimeout' (number expected, got no value)
try(context.withtimeout, bg, 0 / 0)        -- expect: bad argument #2 to 'context.withtimeout' (duration is NaN)
try(context.withdeadline, bg, 0 / 0)       -- expect: bad argument #2 to 'context.withdeadline' (deadline is NaN)
try(context.withtimeout, 1, 1)             -- expect: bad argument #1 to 'context.withtimeout' (context expected, got number)
try(context.withvalue, bg)                 -- expect: bad argument #2 to 'context.withvalue' (key is nil)
try(context.withvalue, bg, 0 / 0, 1)       -- expect: bad argument #2 to 'context.withvalue' (key is NaN)
try(function() bg:value() end)             -- expect: bad argument #1 to 'value' (value expected)
try(function() bg.err(5) end)              -- expect: bad argument #1 to 'err' (context expected, got number)
print(bg)                                  -- expect: context.background
local c, cancel = context.withcancel(context.withvalue(context.withvalue(bg, "user", 1), {}, 1))
print(c)                                   -- expect: context.background.withvalue(user).withvalue(table).withcancel
local d = context.withtimeout(c, 3600)
print((tostring(d):gsub("%(59m59.*s left%)", "(59m59s left)")))
-- expect: context.background.withvalue(user).withvalue(table).withcancel.withdeadline (59m59s left)
cancel()
print(d)  -- expect: context.background.withvalue(user).withvalue(table).withcancel.withdeadline (context canceled)
for i = 1, 100 do c = context.withvalue(c, i, i) end
print(tostring(c):match("^context%.%.%.%.withvalue%(85%)"), #tostring(c) < 400)  -- expect: context....withvalue(85)	true

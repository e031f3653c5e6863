-- Cancelling reaches everything below, at once, once; what is above and beside stays.
-- Protects: runtime/context.c, stdlib/contextlib.c.
local bg = context.background()
print(bg == context.background(), bg:err(), bg:cause(), bg:deadline(), bg:value("k"))  -- expect: true	nil	nil	nil	nil
local a, cancela = context.withcancel(bg)
local b, cancelb = context.withcancel(a)
local c = context.withcancel(context.withvalue(b, "k", 1))
local d = context.withcancel(a)
print(type(a), type(cancela), a:err(), c:err())              -- expect: userdata	function	nil	nil
print(select('#', cancelb()))                                -- expect: 0
print(a:err(), b:err(), c:err(), d:err())                    -- expect: nil	context canceled	context canceled	nil
cancela() cancela() cancelb()
print(a:err(), d:err(), d:cause())                           -- expect: context canceled	context canceled	context canceled
print(pcall(cancela), bg:err())                              -- expect: true	nil

-- A parent that is cancelled already gives a child that is cancelled at birth, with the parent's cause.
local p, cancelp = context.withcancelcause(bg)
local why = { "enough" }
cancelp(why)
local kid, cancelkid = context.withtimeout(context.withvalue(p, 1, 2), 3600)
print(kid:err(), kid:cause() == why, kid:done():recv())      -- expect: context canceled	true	nil	false
cancelkid()
print(kid:cause() == why)                                    -- expect: true

-- Causes: the first one counts, any value but nil; nil and plain cancel mean the error itself.
local x, cancelx = context.withcancelcause(bg)
local y, cancely = context.withcancelcause(x)
cancely(false) cancelx(1.5) cancelx("late")
print(y:err(), y:cause(), x:cause())                         -- expect: context canceled	false	1.5
local z, cancelz = context.withcancelcause(bg)
cancelz()
print(z:err(), z:cause())                                    -- expect: context canceled	context canceled
local w, cancelw = context.withcancelcause(bg)
cancelw(1 << 60)
collectgarbage()
print(w:cause() == 1 << 60)                                  -- expect: true

-- Through defer and as a to-be-closed value.
local function f()
  local ctx, cancel = context.withcancel(bg)
  defer cancel()
  return ctx, ctx:err()
end
print((f()):err(), select(2, f()))                           -- expect: context canceled	nil
local ctx, cancel = context.withcancel(bg)
do local _ <close> = defer(cancel) end
print(ctx:err())                                             -- expect: context canceled

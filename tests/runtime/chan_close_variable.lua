-- A to-be-closed channel closes with its block, silently if it is closed already.
-- Protects: stdlib/chanlib.c.
local out
do
  local ch <close> = chan()
  out = ch
end
print(out:recv())   -- expect: nil	false
do
  local ch <close> = chan()
  ch:close()
end
print("silent")     -- expect: silent

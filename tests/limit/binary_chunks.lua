-- Truncated and foreign binary chunks are refused with a message; nothing crashes.
-- Protects: vm/dump.c (the loader).
local function f(a, ...) local t = {a, "k", 1.5, x = true}; for i = 1, 10 do t[i] = function() return i + a end end if a then goto e end do return ... end ::e:: return t end
for _, strip in ipairs {true, false} do
  local d = string.dump(f, strip)
  assert(load(d, "d", "b"))
  for i = 0, #d - 1 do
    local c, e = load(d:sub(1, i), "=d", "b")
    assert(not c and type(e) == "string", i)
    assert(i == 0 or e:find("truncated", 1, true) or e:find("bad binary format", 1, true), e)
  end
end
-- the header
local d = string.dump(f)
for _, i in ipairs {2, 3, 4, 5, 6, 7, 8} do
  local c, e = load(d:sub(1, i - 1) .. string.char((d:byte(i) + 1) % 256) .. d:sub(i + 1), "=d", "b")
  assert(not c and type(e) == "string")
end
for _, s in ipairs {"\27", "\27Lua", "\27Lua\x54", "\27LJ\2", "\27" .. ("\0"):rep(100), "\27" .. ("\255"):rep(100), "\27Lua" .. ("\1"):rep(1000)} do
  local c, e = load(s, "=bad", "b")
  assert(not c and type(e) == "string")
  assert(not load(s, "=bad"))
end
-- stock Lua's own bytecode is refused
local p = io.popen("printf 'return 1' | luac5.4 -o - - 2>/dev/null")
local stock = p:read("a")
p:close()
if #stock > 0 then assert(not load(stock, "=stock", "b")) end

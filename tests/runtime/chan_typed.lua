-- Typed channels take values of their type only, and say so.
-- Protects: runtime/chan.c (elem_tags).
local function try(ty, v)
  local c = chan(ty, 1)
  local ok, e = pcall(c.send, c, v)
  return ok and "ok" or (e:gsub("^[^:]*:%d+: ", ""))
end
print(try("string", "x"), try("integer", 1), try("float", 1.5), try("number", 1), try("number", 1.5))
-- expect: ok	ok	ok	ok	ok
print(try("boolean", false), try("table", {}), try("function", print), try("chan", chan()), try("userdata", io.stdout))
-- expect: ok	ok	ok	ok	ok
print(try("thread", coroutine.create(print)))   -- expect: ok
print(try("string", 1))                -- expect: cannot send a number value on a chan string
print(try("integer", 1.5))             -- expect: cannot send a float value on a chan integer
print(try("float", 1))                 -- expect: cannot send an integer value on a chan float
print(try("integer", "1"))             -- expect: cannot send a string value on a chan integer
print(try("chan", {}))                 -- expect: cannot send a table value on a chan chan
print(try("table", chan()))            -- expect: cannot send a chan value on a chan table
print(chan.type(chan("string")), chan.type(chan()), chan.type(1), chan.type(chan("integer", 3)))
-- expect: chan string	chan	nil	chan integer
print(type(chan()))                    -- expect: userdata
print((tostring(chan("string")):gsub("0x%x+", "ADDR"))) -- expect: chan string: ADDR
print((tostring(chan()):gsub("0x%x+", "ADDR")))         -- expect: chan: ADDR

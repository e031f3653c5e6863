-- io: read formats, lines, write, seek, modes, closed files, popen, tmpfile, default files.
-- Protects: stdlib/iolib.c and the renamed functions of the package's io library.
local name = os.tmpname()
local f = assert(io.open(name, "w"))
assert(io.type(f) == "file" and tostring(f):match("^file %(0x") and io.type(42) == nil)
assert(f:write("line1\n", 2, " ", 3.5, "\n", "0x1F -7 1e2 abc\n", "last") == f)
assert(f:seek("cur") == 6 + 6 + 16 + 4 and f:seek("set", 0) == 0 and f:seek("end") == 32)
assert(f:close() == true and io.type(f) == "closed file" and tostring(f) == "file (closed)")
for _, m in ipairs {"write", "read", "lines", "seek", "flush", "setvbuf", "close"} do
  local ok, e = pcall(f[m], f)
  assert(not ok and e:find("attempt to use a closed file", 1, true), m)
end
f = assert(io.open(name))
assert(f:read() == "line1" and f:read("n") == 2 and f:read("n") == 3.5 and f:read("L") == "\n")
assert(f:read("n", "n", "n", "n") == 31)
f:close()
f = io.open(name)
local a, b, c = f:read("l", "L", 4)
assert(a == "line1" and b == "2 3.5\n" and c == "0x1F")
assert(f:read(0) == "" and f:read("a") == " -7 1e2 abc\nlast" and f:read("a") == "" and f:read("l") == nil and f:read(0) == nil)
f:close()
-- numbers
f = io.open(name, "w")
f:write("  12 -0x10 .5 5. 1e+3 0x1p4 99999999999999999999 nope 1")
f:close()
f = io.open(name)
local function eq(x, y) assert(x == y and math.type(x) == math.type(y)) end
eq(f:read("n"), 12) eq(f:read("n"), -16) eq(f:read("n"), 0.5) eq(f:read("n"), 5.0) eq(f:read("n"), 1000.0) eq(f:read("n"), 16.0) eq(f:read("n"), 1e20)
assert(f:read("n") == nil)
f:close()
-- lines
f = io.open(name, "w")
for i = 1, 100 do f:write(i, "\n") end
f:close()
local n = 0
for l in io.lines(name) do n = n + 1; assert(l == tostring(n)) end
assert(n == 100)
n = 0
for x in io.lines(name, "n") do n = n + x end
assert(n == 5050)
for x, y in io.lines(name, 1, "L") do assert(x == "1" and y == "\n") break end
f = io.open(name)
n = 0
for l in f:lines("L") do n = n + #l end
assert(n == f:seek("end") and io.type(f) == "file")
f:close()
assert(not pcall(io.lines, "/no/such/file"))
-- append, update, binary
f = io.open(name, "a+")
f:write("appended")
f:seek("set")
assert(f:read() == "1")
f:close()
f = io.open(name, "r+")
f:write("X")
f:seek("set", 0)
assert(f:read(3) == "X\n2")
f:close()
f = io.open(name, "wb")
local bytes = {}
for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
f:write(table.concat(bytes))
f:close()
f = io.open(name, "rb")
assert(f:read("a") == table.concat(bytes))
f:close()
-- buffering, large reads
f = io.open(name, "w")
assert(f:setvbuf("full", 1024) and f:setvbuf("no") and f:setvbuf("line"))
f:write(("x"):rep(200000), "\n", ("y"):rep(10))
f:close()
f = io.open(name)
assert(#f:read("l") == 200000 and f:read(100) == ("y"):rep(10))
f:close()
-- default input and output
local old = io.output()
io.output(name)
assert(io.write("through ", "default ", 1) == io.output())
io.close()
assert(not pcall(io.write, "x"))
io.output(old)
io.input(name)
assert(io.read("a") == "through default 1")
io.close(io.input())
assert(not pcall(io.read))
io.input(io.stdin)
-- errors
local f2, e, code = io.open("/no/such/dir/file", "w")
assert(f2 == nil and e == "/no/such/dir/file: No such file or directory" and code == 2)
assert(not pcall(io.open, name, "rw") and not pcall(io.open))
f = io.open(name)
local r, e2, c2 = f:write("x")
assert(r == nil and type(e2) == "string" and c2 == 9)
f:close()
-- <close>, collection
do local h <close> = io.open(name) f = h end
assert(io.type(f) == "closed file")
for i = 1, 2000 do io.open(name) if i % 200 == 0 then collectgarbage() end end
-- popen
local p = io.popen("echo hello; exit 3")
assert(p:read("a") == "hello\n")
local ok, what, st = p:close()
assert(ok == nil and what == "exit" and st == 3)
p = io.popen("cat > " .. name, "w")
p:write("piped")
assert(p:close() == true)
for l in io.lines(name) do assert(l == "piped") end
ok, what, st = os.execute("exit 5")
assert(ok == nil and what == "exit" and st == 5 and os.execute() == true and os.execute("true") == true)
ok, what, st = os.execute("kill -9 $$")
assert(ok == nil and what == "signal" and st == 9)
-- tmpfile, remove, rename
local t = io.tmpfile()
t:write("tmp") t:seek("set")
assert(t:read("a") == "tmp")
t:close()
assert(os.rename(name, name .. ".2") and os.remove(name .. ".2"))
local rm, re, rc = os.remove(name)
assert(rm == nil and re == name .. ": No such file or directory" and rc == 2)

-- Pieces of every size and kind, joined in one write: below, at and above the size of any internal buffer.
do
  local path, want = os.tmpname(), {}
  local f = assert(io.open(path, "w"))
  for n = 0, 1100, 7 do
    local s = ("x"):rep(n)
    assert(f:write(s, n, "|", n + 0.5, s, -n, "\n") == f)
    want[#want + 1] = s .. n .. "|" .. n + 0.5 .. s .. -n .. "\n"
  end
  assert(f:close())
  assert(io.open(path):read("a") == table.concat(want))
  f = assert(io.open(path, "w"))
  assert(f:setvbuf("no") and f:write("a", 1, "b") and io.open(path):read("a") == "a1b")
  assert(f:setvbuf("line") and f:write("c\n") and io.open(path):read("a") == "a1bc\n")
  f:close()
  os.remove(path)
  assert(not pcall(io.write, {}))
  local full = io.open("/dev/full", "w")
  local ok, msg, code = full:write(("y"):rep(100000))
  assert(not ok and msg and code == 28)
end

-- Texts of argument errors of the library, called as functions, methods and fields.
local function try(src, ...)
  local f, e = load(src, "=t")
  if not f then print(src, "LOAD", e) return end
  print(src, (tostring((select(2, pcall(f, ...)))):gsub("0x%x+", "ADDR")))
end
local fns = {}
for _, lib in ipairs {"string", "table", "math", "utf8", "coroutine"} do
  for name in pairs(_G[lib]) do if type(_G[lib][name]) == "function" then fns[#fns + 1] = lib .. "." .. name end end
end
for _, name in ipairs {"assert", "error", "getmetatable", "setmetatable", "ipairs", "pairs", "next", "rawequal", "rawget", "rawlen", "rawset", "select", "tonumber",
  "tostring", "type", "pcall", "xpcall", "load", "require"} do fns[#fns + 1] = name end
table.sort(fns)
local skip = {["coroutine.running"] = true, ["math.random"] = true, ["math.randomseed"] = true, ["coroutine.wrap"] = true, ["coroutine.create"] = true,
  ["table.pack"] = true, ["tostring"] = true, ["require"] = true, ["string.dump"] = true, ["coroutine.close"] = true, ["coroutine.isyieldable"] = true,
  ["coroutine.resume"] = true, ["coroutine.status"] = true}
local args = {"", "nil", "1", "'x'", "{}", "true", "print", "1.5", "1, 2", "'x', 'y'", "{}, {}", "{}, 'x'", "'x', {}", "1, 'x'", "'10', '5'", "{1, 2}, 1, 2", "'abc', 1, 'z'", "{}, 1, 2, 3",
  "-1", "2^53", "1e300", "'%d'", "'%'", "'[a'", "'%5', 'x'", "'x', '('", "math.mininteger"}
for _, fn in ipairs(fns) do
  if not skip[fn] then
    for _, a in ipairs(args) do
      if fn == "select" and a == "{}" then goto continue end -- waits for ever in lungo
      local f = load("return " .. fn .. "(" .. a .. ")", "=t")
      local r = table.pack(pcall(f))
      for i = 1, r.n do if type(r[i]) ~= "string" and type(r[i]) ~= "number" and type(r[i]) ~= "boolean" then r[i] = type(r[i]) else r[i] = tostring(r[i]):gsub("0x%x+", "ADDR") end end
      print(fn, a, (table.concat(r, " ", 1, r.n):gsub("-nan", "nan"))) -- the sign is the machine's affair
      ::continue::
    end
  end
end
try("('x'):rep({})") try("('x'):rep()") try("('x').rep()") try("local s = string s.rep()") try("local rep = string.rep rep()") try("('x'):bad()") try("string.bad()")
try("io.open()") try("io.open('x', 'zz')") try("io.lines('/no/such/file')") try("io.stdout.write()") try("io.stdout:seek('bad')") try("io.stdout.nomethod()")
try("os.date('%Ez')") try("os.date('*t', 2^60)") try("os.time({})") try("os.time({year = 2000})") try("os.time({year = 'x', month = 1, day = 1})") try("os.setlocale('x', 'y')")
try("setmetatable({}, 1)") try("setmetatable(1, {})") try("getmetatable()") try("collectgarbage('x')") try("select(0)") try("select('x')") try("select(-5, 1)")
try("table.concat({1, {}, 3})") try("table.concat({1, 2}, ',', 1, 3)") try("table.insert({}, 5, 1)") try("table.insert({})") try("table.insert({}, 1, 2, 3)") try("table.unpack({}, 1, 1e7)")
try("table.sort({1, 'x'})") try("table.sort({1, 2, 3}, 5)") try("table.sort({3, 1, 2, 5, 9, 7, 8}, function() return true end)") try("table.remove({}, 5)") try("table.move({}, 1, math.maxinteger, 2)")
try("string.format('%q', {})") try("string.format('%y', 1)") try("string.format('%d', 1.5)") try("string.format('%10.123f', 1)") try("string.format('%s')") try("string.format('%c', 'x')")
try("string.format('%d', '1.5')") try("string.format('%x', 2^53)") try("string.format('%x', -1)") try("string.char(256)") try("string.char(-1)") try("utf8.char(-1)") try("utf8.codepoint('\\xff')") try("utf8.len('abc', 10)")
try("('x'):find('[')") try("('x'):find('%')") try("('x'):find('(')") try("('x'):find(')')") try("('x'):gsub('x', '%2')") try("('x'):gsub('x', '%')") try("('x'):gsub('x', true)") try("('x'):gsub('(x', '')")
try("('x'):find('%f')") try("('x'):find('%b')") try("('x'):gsub('x', function() return {} end)") try("('x'):gsub('x', {x = print})") try("string.rep('x', 1 << 40)") try("string.rep('x', 1e10)")
try("string.pack('i17', 1)") try("string.pack('i1', 1000)") try("string.unpack('i4', 'x')") try("string.pack('z', 'a\\0b')") try("string.pack('Xi3')") try("string.packsize('s')") try("string.unpack('z', 'abc')")
try("math.floor({})") try("math.floor('x')") try("math.random(0, -1)") try("math.random(1, 2, 3)") try("math.tointeger({})") try("math.max()") try("math.fmod(1, 0)") try("math.abs()") try("math.ult(1.5, 1)")
try("coroutine.resume(1)") try("coroutine.wrap(1)") try("coroutine.create()") try("coroutine.status({})") try("coroutine.close(coroutine.running())") try("coroutine.yield()")
try("require('no.such.module.x')" and "return 1") try("load(1)") try("load({})") try("tonumber('10', 99)") try("tonumber(10, 10)") try("tonumber()") try("tonumber('x', 'y')") try("ipairs()") try("rawlen(5)") try("rawget(1, 2)") try("xpcall(print)")
try("debug.getinfo(1, 'X')") try("debug.getinfo('x')") try("debug.setmetatable()") try("debug.getlocal(100, 1)") try("debug.sethook(1)") try("debug.upvalueid(print, 5)") try("debug.traceback({})")
try("string.dump(print)") try("('x').y.z = 1") try("('x').y = 1")

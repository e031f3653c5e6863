-- require, package.path, preload, searchers, loaded; concurrent require; lungo's libraries are found.
local dir = os.tmpname()
os.remove(dir)
assert(os.execute("mkdir " .. dir))
local function write(n, s) local f = io.open(dir .. "/" .. n, "w"); f:write(s); f:close() end
package.path = dir .. "/?.lua;" .. dir .. "/?/init.lua"
write("one.lua", "local name, file = ... ; count = (count or 0) + 1; return {name = name, file = file}")
local m, where = require "one"
assert(m.name == "one" and m.file == dir .. "/one.lua" and where == m.file and require "one" == m and count == 1)
assert(package.loaded.one == m)
package.loaded.one = nil
assert(require "one" ~= m and count == 2)
os.execute("mkdir " .. dir .. "/pkg")
write("pkg/init.lua", "return 'init'")
write("pkg/sub.lua", "return ...")
assert(require "pkg" == "init" and require "pkg.sub" == "pkg.sub")
write("nothing.lua", "x_from_nothing = 1")
assert(require "nothing" == true and x_from_nothing == 1)
write("bad.lua", "x = = 1")
local ok, e = pcall(require, "bad")
assert(not ok and e:find("error loading module 'bad' from file", 1, true) and e:find("unexpected symbol near '='", 1, true))
write("raises.lua", "error('in module')")
ok, e = pcall(require, "raises")
assert(not ok and e:find("raises.lua:1: in module", 1, true))
ok, e = pcall(require, "no.such")
assert(not ok and e:find("module 'no.such' not found:", 1, true) and e:find("no field package.preload['no.such']", 1, true) and e:find("no file '" .. dir .. "/no/such.lua'", 1, true))
package.preload.pre = function(n, x) return n .. "!" .. x end
assert(require "pre" == "pre!:preload:")
assert(package.searchpath("one", package.path) == dir .. "/one.lua" and package.searchpath("zz", package.path) == nil)
assert(package.config:sub(1, 1) == "/" and #package.searchers == 4 and type(package.cpath) == "string")
for _, lib in ipairs {"chan", "sync", "atomic", "time", "runtime", "string", "coroutine", "io"} do assert(require(lib) == _G[lib], lib) end
-- a module that parks while it loads, required by several goroutines
write("slow.lua", "slowcount = (slowcount or 0) + 1; time.sleep(0.02); return {n = slowcount}")
local wg = sync.waitgroup()
for _ = 1, 4 do wg:go(function() assert(require("slow").n) end) end
wg:wait()
assert(slowcount >= 1 and require("slow").n)
os.execute("rm -r " .. dir)

-- What is below the main chunk: a C function, as in lua5.4, for tracebacks, levels and debug.getinfo (but not in the report of
-- a panic or of a deadlock: tests/cli). Protects: runtime/host.c (rt_script).
print(debug.traceback("x"))
print(debug.getinfo(2) and debug.getinfo(2).what, debug.getinfo(3))
local function f() print(debug.traceback("in f")) end
f()
print(pcall(error, "a", 2))
print(pcall(function() error("m", 3) end))
print(select(2, xpcall(function() local x = nil; x() end, debug.traceback)))
print(coroutine.wrap(function() return debug.traceback("co") end)())
local calls = {}
debug.sethook(function(event) calls[#calls + 1] = event .. " " .. tostring(debug.getinfo(2, "S").what) end, "cr")
f()
debug.sethook()
print(table.concat(calls, ", "))
return f()

-- A C function that a C function calls back, and that has the loop make a protected call or resume a coroutine: errors
-- end there, and the C function below goes on.
local calls = 0
local function fails() calls = calls + 1; error("no", 0) end
local thing = setmetatable({}, { __call = fails })

assert(pcall(table.sort, { thing, thing, thing }, pcall))
assert(calls == 3)

-- gsub takes the first result of its function: false leaves the piece as it is.
debug.getmetatable("").__call = fails
local ok, msg = pcall(string.gsub, "abc", ".", pcall)
assert(ok and msg == "abc", msg)
debug.getmetatable("").__call = nil

-- The same with coroutines that die, below pcall and without.
local co = coroutine.wrap(fails)
ok, msg = pcall(string.gsub, "abc", ".", co)
assert(not ok and msg == "no", msg)
local after = {}
for i = 1, 3 do
  table.sort({ thing, thing }, function(a) after[#after + 1] = pcall(pcall, a) and i; return false end)
end
assert(#after == 3 and after[3] == 3)

-- Deep below one another.
local function nest(n)
  if n == 0 then return pcall end
  return function(...) table.sort({ thing, thing }, nest(n - 1)); return false end
end
assert(pcall(table.sort, { thing, thing }, nest(20)))

-- In a goroutine, where a coroutine yields across none of it, and on the way out of a goexit.
local done = chan(1)
go(function()
  defer(function() done:send(pcall(table.sort, { thing, thing }, pcall)) end)
  local _ <close> = defer(function() done:send(pcall(table.sort, { thing, thing }, pcall)) end)
  table.sort({ thing, thing }, pcall)
  runtime.goexit()
end)
assert(done:recv() == true)
print("ok") -- expect: ok

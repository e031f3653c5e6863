-- Protected calls in protected calls, each adding a result, took time quadratic in a depth of 333,000: they end at
-- 20,000 now, with the error Lua gives at 200. However a call ended, it is counted out again.
-- Protects: vm/call.c, set_protection and who leaves the protection.
local function chain() return pcall(chain) end
local start = os.clock()
local r = table.pack(chain())
-- (Collecting at every chance, each time all of the stack, is quadratic.)
local stressed = (os.getenv("LUNGODEBUG") or ""):find("gcstress", 1, true)
assert(stressed or os.clock() - start < 10, "quadratic")
assert(r.n < 30000 and r[r.n] == "C stack overflow" and r[r.n - 1] == false and r[1] == true)

local function depth(n)
  local ok, d = pcall(depth, n + 1)
  return ok and d or n
end
local deepest = depth(0)
assert(deepest == depth(0) and deepest > 10000)

local yields = coroutine.wrap(function()
  while true do
    pcall(coroutine.yield)
    pcall(function() coroutine.yield() error() end)
  end
end)
for i = 1, 3000 do
  pcall(error)
  pcall(pcall, pcall, error)
  xpcall(error, function() error() end)
  pcall(string.rep)
  pcall(string.gsub, "x", "x", function() pcall(error) error() end)
  pcall(table.sort, {1, 2, 3}, function() pcall(string.gsub, "x", "x", error) error() end)
  pcall(42)
  yields()
end
local co = coroutine.create(function() pcall(pcall, coroutine.yield) end)
coroutine.resume(co)
coroutine.close(co)
local left = sync.waitgroup()
left:go(function() pcall(pcall, runtime.goexit) end)
left:wait()
assert(depth(0) == deepest)
left:go(function() assert(depth(0) >= deepest) end) -- in a state that was used before
left:wait()

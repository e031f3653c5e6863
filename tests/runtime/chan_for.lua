-- `for v in ch` receives without a call; whoever changes what calling a channel means is heard from the next step on.
local function filled(n)
  local c = chan(n)
  for i = 1, n do c:send(i) end
  return c
end
local meta = debug.getmetatable(chan())
local recv = meta.__call

-- one, two and more variables
local c, seen = filled(3), {}
c:close()
for v, ok, none in c do
  assert(ok == true and none == nil)
  seen[#seen + 1] = v
end
assert(table.concat(seen, " ") == "1 2 3")

-- views: the receiving one works, the other is an error at the loop's line
local d = filled(2)
d:close()
local sum = 0
for v in d:receiver() do sum = sum + v end
assert(sum == 3)
local ok, err = pcall(function() for _ in chan():sender() do end end)
assert(not ok and err:match("^.-:%d+: cannot receive from a send%-only channel$"), err)

-- parked in the loop, many times, in several goroutines and coroutines
local e, wg, total = chan(), sync.waitgroup(), atomic.int()
for _ = 1, 4 do
  wg:go(function()
    for v in coroutine.wrap(function() for x, more in e do coroutine.yield(x, more) end end) do total:add(v) end
  end)
end
for i = 1, 1000 do e:send(i) end
e:close()
wg:wait()
assert(total:load() == 500500)

-- __call replaced in the middle of a loop, and put back
local f, calls = filled(6), 0
for v in f do
  if v == 2 then
    meta.__call = function(ch, ...)
      assert(ch == f and select("#", ...) == 2)
      calls = calls + 1
      return nil
    end
  end
end
assert(calls == 1 and #f == 4)
for _ in f do error("the replacement ends the loop at once") end
assert(calls == 2)
meta.__call = recv
local rest = {}
for v in f do
  rest[#rest + 1] = v
  if #f == 0 then break end
end
assert(table.concat(rest, " ") == "3 4 5 6")

-- any other write to the class is no obstacle, nor is a collection in the middle
local g, n = filled(100), 0
g:close()
for v in g do
  n = n + 1
  assert(v == n)
  if v % 10 == 0 then meta["field" .. v] = v end
  if v % 25 == 0 then collectgarbage() end
end
assert(n == 100)

-- a channel with a metatable of its own, and one without
local h = filled(3)
debug.setmetatable(h, { __call = function() return nil end })
for _ in h do error("not the channel's own iterator") end
debug.setmetatable(h, nil)
ok, err = pcall(function() for _ in h do end end)
assert(not ok and err:find("attempt to call a userdata value", 1, true), err)

-- hooks see the call of the iterator
local hooked, i = 0, filled(3)
i:close()
debug.sethook(function() if debug.getinfo(2, "f").func == recv then hooked = hooked + 1 end end, "c")
for _ in i do end
debug.sethook()
assert(hooked == 4, hooked)

-- an error in the loop, and goto out of it, leave the channel usable
local j = filled(5)
assert(not pcall(function() for v in j do error(v) end end))
for v in j do
  if v == 3 then goto out end
end
::out::
assert(j:recv() == 4)

-- who waits in the loop keeps nothing of the step before alive but the value it received
local weak, k, kept = setmetatable({}, { __mode = "k" }), chan(), atomic.int()
wg:go(function()
  for _ in k do
    local t = { {}, {}, {} }
    for _, x in ipairs(t) do weak[x] = true end
    kept:add(1)
  end
end)
for _ = 1, 2 do k:send(true) end
repeat runtime.gosched() until kept:load() == 2 and runtime.stack(true):find("chan receive", 1, true)
collectgarbage()
assert(next(weak) == nil)
k:close()
wg:wait()

-- a coroutine that an error in the loop has ended keeps that error
local co = coroutine.create(function(ch) for _, a, b in ch do end end)
assert(not coroutine.resume(co, chan():sender()))
collectgarbage()
ok, err = coroutine.close(co)
assert(not ok and err:find("cannot receive from a send-only channel", 1, true), err)

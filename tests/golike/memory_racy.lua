-- Without any edge, too, a program keeps whole values and sound tables: what is read from a variable, a field or an element
-- is one of the values written there, another key's value is not touched, a key that stays is met once by an iteration.
-- Protects: vm/table.c and vm/value.h (Slot) under writers that do not know of each other.
local N = os.getenv "LUNGODEBUG" and 300 or 6000
-- Values of every representation; each says of itself whether it is whole.
local function make(g, i)
  local k = (i * 7 + g) % 8
  if k == 0 then return (g << 56) | (g << 40) | (g << 8) | g end -- an integer too large for a word with its tag
  if k == 1 then return g + 0.5 end
  if k == 2 then return ("s" .. g):rep(3) end
  if k == 3 then return ("long" .. g):rep(20) end
  if k == 4 then return {g, g, n = g} end
  if k == 5 then return g % 2 == 0 end
  if k == 6 then return function() return g end end
  return g
end
local function whole(v)
  local t = math.type(v) or type(v)
  if t == "integer" then return v >= 1 and v <= 4 or v == (v & 255) << 56 | (v & 255) << 40 | (v & 255) << 8 | v & 255 end
  if t == "float" then return v > 1 and v < 5 and v % 1 == 0.5 end
  if t == "string" then
    local g = v:match "%d"
    return v == ("s" .. g):rep(3) or v == ("long" .. g):rep(20)
  end
  if t == "table" then return v[1] == v[2] and v[2] == v.n and #v == 2 end
  if t == "function" then return v() >= 1 and v() <= 4 end
  return t == "boolean"
end
local variable, t, wg = 1, {field = 1, 1, 1, 1}, sync.waitgroup()
global = 1
for g = 1, 4 do
  wg:go(function()
    for i = 1, N do
      local v = make(g, i)
      if i % 2 == 0 then
        variable = v
        t.field = v
        t[2] = v
        global = v
      else
        assert(whole(variable) and whole(t.field) and whole(t[2]) and whole(global))
      end
    end
  end)
end
wg:wait()
-- Unlocked counting loses updates, but never more than all: each value is one that somebody stored.
local count, counts = 0, {n = 0}
for _ = 1, 4 do wg:go(function() for _ = 1, N do count = count + 1 counts.n = counts.n + 1 end end) end
wg:wait()
assert(count >= N and count <= 4 * N and counts.n >= N and counts.n <= 4 * N)
-- Keys of one's own in a table that all of them make grow and shrink: nothing of theirs is lost, nothing else appears.
local shared = {stay = "here", [0] = "zero"}
for i = 1, 10 do shared["fixed" .. i] = i end
for g = 1, 4 do
  wg:go(function()
    for i = 1, N do
      local k, gone = g .. ":" .. i % 50, g .. ":" .. (i + 25) % 50
      shared[k] = i
      shared[g * 1000 + i % 100] = i
      assert(shared[k] == i and shared[g * 1000 + i % 100] == i and shared.stay == "here" and shared[0] == "zero")
      shared[gone] = nil
      assert(shared[gone] == nil)
      if i % 200 == g then
        local fixed = 0
        for key, value in pairs(shared) do
          assert(value ~= nil)
          if type(key) == "string" and key:find "^fixed" then fixed = fixed + 1 assert(value == tonumber(key:match "%d+")) end
        end
        assert(fixed == 10, "a key that stays was missed or met twice")
      end
    end
  end)
end
wg:wait()
-- A list that all of them append to and take from: its length is a border, its elements are what somebody put there.
local list = {}
for g = 1, 4 do
  wg:go(function()
    for i = 1, N do
      if i % 3 == 0 then list[#list] = nil else list[#list + 1] = g end
      local v = list[math.max(1, #list)]
      assert(v == nil or v >= 1 and v <= 4)
    end
  end)
end
wg:wait()
assert(#list == 0 or list[#list] ~= nil and list[#list + 1] == nil)
-- Metatables that change meanwhile: one of them answers.
local obj = setmetatable({}, {__index = function() return 1 end})
local metas = {{__index = {x = 2}}, {__index = function() return 3 end}, {__index = setmetatable({}, {__index = {x = 4}})}}
for g = 1, 3 do
  wg:go(function()
    for _ = 1, N do
      setmetatable(obj, metas[g])
      local x = obj.x
      assert(x == 2 or x == 3 or x == 4)
    end
  end)
end
wg:wait()
print "ok" -- expect: ok

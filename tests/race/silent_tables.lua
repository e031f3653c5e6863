-- options: --race
-- Different keys of one table are different variables, whatever the table does to grow; reading needs no lock.
local t, wg, names = {}, sync.waitgroup(), {}
for i = 1, 100 do names[i] = "name" .. i end
for i = 1, 20 do
  wg:go(function()
    for k = i, 400, 20 do
      t[k] = {k}
      t[k][1] = k + 1
      t[names[i] .. k] = true
      t[k + 0.5] = k
    end
    assert(math.floor(1.5) == 1 and string.format("%d", 1) == "1" and ("x"):rep(2) == "xx")
    for j, name in ipairs(names) do assert(name == "name" .. j) end
    for _ in pairs(names) do end
    assert(#names == 100 and next(names) and select("#", table.unpack(names)) == 100)
    local mine = {}
    for k = 1, 50 do table.insert(mine, k) end
    table.sort(mine, function(a, b) return a > b end)
    local s = require("string")
    assert(s.upper("a") == "A")
  end)
end
wg:wait()
assert(#t == 400)

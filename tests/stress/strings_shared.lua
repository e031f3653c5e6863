-- strings_shared.lua [ROUNDS]: all goroutines make the same names at the same time, as keys, by concatenation, formatting
-- and load, while the collector drops and sweeps them: equal strings are the same key, and no string is torn.
local rounds = tonumber(arg[1]) or 10
local stress = (os.getenv "LUNGODEBUG" or ""):find "gcstress"
local G, NAMES = 6, stress and 40 or 400
for round = 1, rounds do
  local shared, wg, started = {}, sync.waitgroup(), sync.waitgroup()
  started:add(G)
  for g = 1, G do
    wg:go(function()
      started:done()
      started:wait()
      for i = 1, NAMES do
        local n = (i + g * 3) % NAMES -- all names, not in step
        local name
        if g % 3 == 0 then name = "name" .. round .. "_" .. n
        elseif g % 3 == 1 then name = ("name%d_%d"):format(round, n)
        else name = table.concat {"na", "me", round, "_", n} end
        local old = shared[name]
        if old then assert(old == n, "another string's entry") else shared[name] = n end
        assert(shared["name" .. round .. "_" .. n] == n and rawequal(name, "name" .. round .. "_" .. n))
        local short = ({[name] = g})["na" .. "me" .. round .. "_" .. n]
        assert(short == g)
        if i % 20 == 0 then
          local f = assert(load(("local t = {field%d = %d} t.other%d = t.field%d return t.other%d, 'field%d'"):format(n, n, n, n, n, n)))
          local v, s = f()
          assert(v == n and s == "field" .. n and ({[s] = 1})["fie" .. "ld" .. n])
        end
        local long = name:rep(10) -- not interned
        assert(long == ("name" .. round .. "_" .. n):rep(10) and ({[long] = 1})[name:rep(10)] == 1)
        if n % 7 == g then shared["gone" .. n] = name shared["gone" .. n] = nil end
        if i % 100 == g then collectgarbage() end
      end
    end)
  end
  wg:go(function() for _ = 1, 4 do collectgarbage() runtime.gosched() end end)
  wg:wait()
  local n = 0
  for k, v in pairs(shared) do
    assert(k == "name" .. round .. "_" .. v, "a torn key")
    n = n + 1
  end
  assert(n == NAMES, "equal strings were different keys")
end

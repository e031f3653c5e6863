-- rng.lua: `require "rng"(seed)`: a random generator that is the same under any Lua (math.random need not be).
return function(seed)
  local state = (seed + 1) * 0x9E3779B97F4A7C15
  local function rnd(n) -- 1..n
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    return (state >> 11) % n + 1
  end
  for _ = 1, 4 do rnd(2) end
  return {
    rnd = rnd,
    pick = function(t) return t[rnd(#t)] end,
    chance = function(percent) return rnd(100) <= percent end,
    seed = seed,
  }
end

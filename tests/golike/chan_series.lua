-- Power series as pairs of channels: a coefficient is computed when somebody asks for it, by a network of goroutines
-- that is built while it runs and feeds back into itself.
-- Protects: runtime/chan.c, runtime/select.c under deep nets of goroutines that wait for each other.
local function gcd(a, b) while b ~= 0 do a, b = b, a % b end return a end
local Q = {}
Q.__index = Q
local function q(n, d) local g = gcd(math.abs(n), d) return setmetatable({n = n // g, d = d // g}, Q) end
Q.__add = function(a, b) return q(a.n * b.d + b.n * a.d, a.d * b.d) end
Q.__mul = function(a, b) return q(a.n * b.n, a.d * b.d) end
Q.__tostring = function(a) return a.d == 1 and tostring(a.n) or a.n .. "/" .. a.d end
local zero, one = q(0, 1), q(1, 1)

-- A stream answers each request on `ask` by one value on `val`.
local function stream(f)
  local s = {ask = chan(), val = chan()}
  local function emit(value) s.ask:recv() s.val:send(value()) end
  go(f, emit)
  return s
end
local function get(s) s.ask <- true return (<-s.val) end
local function copy(s, emit) while true do emit(function() return get(s) end) end end
local function both(s, t) -- asks two at once and takes the answers as they come
  local asked, got = {[1] = s, [2] = t}, {}
  for _ = 1, 4 do
    select
    case (asked[1] and asked[1].ask) <- true then asked[1] = nil
    case (asked[2] and asked[2].ask) <- true then asked[2] = nil
    case v = <-(not asked[1] and not got[1] and s.val or nil) then got[1] = v
    case v = <-(not asked[2] and not got[2] and t.val or nil) then got[2] = v
    end
  end
  return got[1], got[2]
end
-- Two readers of one stream, each at its own pace: a queue for each, and one of them at a time asks for more.
local function split(s)
  local queues, asking = {sync.map(), sync.map()}, sync.mutex()
  local known = atomic.int()
  local function side(i)
    return stream(function(emit)
      for n = 1, math.huge do
        emit(function()
          local _ <close> = n > known:load() and asking:lock() or nil
          if n > known:load() then
            local v = get(s)
            queues[1]:store(n, v) queues[2]:store(n, v)
            known:add(1)
          end
          return (queues[i]:loadanddelete(n))
        end)
      end
    end)
  end
  return side(1), side(2)
end
local function add(s, t) return stream(function(emit) while true do emit(function() local a, b = both(s, t) return a + b end) end end) end
local function scale(k, s) return stream(function(emit) while true do emit(function() return k * get(s) end) end end) end
local function shifted(k, s) return stream(function(emit) emit(function() return k end) copy(s, emit) end) end
local function integral(k, s) -- k + the integral
  return stream(function(emit)
    emit(function() return k end)
    for n = 1, math.huge do emit(function() return q(1, n) * get(s) end) end
  end)
end
local function mul(s, t) -- (a + xS)(b + xT) = ab + x(aT + bS + xST)
  return stream(function(emit)
    local a, b
    emit(function() a, b = both(s, t) return a * b end)
    local s1, s2 = split(s)
    local t1, t2 = split(t)
    copy(add(add(scale(a, t1), scale(b, s1)), shifted(zero, mul(s2, t2))), emit)
  end)
end
local function exp() -- e' = e, e(0) = 1: the stream is fed by itself
  local back = {ask = chan(), val = chan()}
  local e1, e2 = split(integral(one, back))
  go(function() while true do back.ask:recv() back.val:send(get(e2)) end end)
  return e1
end
local function show(s, n) local t = {} for i = 1, n do t[i] = tostring(get(s)) end return table.concat(t, " ") end
local ones = function() return stream(function(emit) while true do emit(function() return one end) end end) end
print(show(ones(), 5))                 -- expect: 1 1 1 1 1
print(show(mul(ones(), ones()), 8))    -- expect: 1 2 3 4 5 6 7 8
print(show(exp(), 8))                  -- expect: 1 1 1/2 1/6 1/24 1/120 1/720 1/5040
print(show(mul(exp(), exp()), 6))      -- expect: 1 2 2 4/3 2/3 4/15

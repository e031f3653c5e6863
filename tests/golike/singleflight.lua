-- singleflight, as its users know it: one call for all who come meanwhile, other keys beside it, a new call afterwards,
-- errors for everybody, and a function that ends its goroutine takes nobody with it.
-- Protects: stdlib/synclib.c (singleflight).
local function joined(n) -- until n goroutines wait for the call of another one
  repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[sync.Once%]", "")) == n
end
local g, calls, wg = sync.singleflight(), atomic.int(), sync.waitgroup()
print(g:run("k", function() return "bar" end))                 -- expect: bar	false
local gate, inside, shared = chan(), chan(), atomic.int()
local function slow() inside:send(true) gate:recv() return calls:add(1) end
local function caller(key) return function()
  local v, s = g:run(key, slow)
  if s then shared:add(1) end
  assert(v >= 1)
end end
wg:go(caller "a")
inside:recv()
for _ = 1, 9 do wg:go(caller "a") end
joined(9)
wg:go(caller "b") -- another key does not wait for the first
inside:recv()
gate:send(true) gate:send(true)
wg:wait()
print(calls:load(), shared:load())                             -- expect: 2	10
wg:go(caller "a") -- when it is over, the next one calls again
inside:recv()
gate:send(true)
wg:wait()
print(calls:load())                                            -- expect: 3
-- An error, whatever its value, is everybody's; and the key is free again.
local why, failed = {}, atomic.int()
local function failing() inside:send(true) gate:recv() error(why) end
wg:go(function() local ok, e = pcall(g.run, g, "e", failing) if not ok and e == why then failed:add(1) end end)
inside:recv()
for _ = 1, 4 do wg:go(function() local ok, e = pcall(g.run, g, "e", failing) if not ok and e == why then failed:add(1) end end) end
joined(4)
gate:send(true)
wg:wait()
print(failed:load(), g:run("e", function() return 1 end))      -- expect: 5	1	false
-- goexit ends the goroutine that calls; those who joined learn that there is no value.
local told = chan(3)
wg:go(function() g:run("x", function() inside:send(true) gate:recv() runtime.goexit() end) told:send "came back" end)
inside:recv()
for _ = 1, 2 do wg:go(function() told:send((select(2, pcall(g.run, g, "x", slow)):gsub("^[^:]*:%d+: ", ""))) end) end
joined(2)
gate:send(true)
wg:wait()
print(#told, <-told)                                           -- expect: 2	the function to be called once did not return
print(g:run("x", function() return "again" end))               -- expect: again	false
-- A key is compared as a table key: 1 and 1.0 are one, tables by identity; nil results are results.
print(g:run({}, function() return g:run(1, function() return g:run({}, function() end) end) end))  -- expect: nil	false

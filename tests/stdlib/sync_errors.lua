-- What sync and atomic say to bad arguments and misuse.
-- Protects: stdlib/synclib.c, stdlib/syncdata.c, stdlib/atomiclib.c.
local nan = 0 / 0
local function try(f) print((select(2, pcall(f)):gsub("^[^:]*:%d+: ", ""))) end
try(function() sync.mutex():unlock() end)          -- expect: unlock of unlocked mutex
try(function() sync.rwmutex():unlock() end)        -- expect: unlock of unlocked rwmutex
try(function() sync.rwmutex():runlock() end)       -- expect: unlock of unlocked rwmutex
try(function() local r = sync.rwmutex() r:lock() r:runlock() end)  -- expect: unlock of unlocked rwmutex
try(function() sync.waitgroup():done() end)        -- expect: negative WaitGroup counter
try(function() sync.waitgroup():add(1 << 40) end)  -- expect: WaitGroup counter too large
try(function() sync.waitgroup():add(0.5) end)      -- expect: bad argument #1 to 'add' (number has no integer representation)
try(function() sync.waitgroup():go() end)          -- expect: bad argument #1 to 'go' (function expected, got no value)
try(function() sync.cond() end)                    -- expect: bad argument #1 to 'cond' (locker expected, got no value)
try(function() sync.cond(sync.mutex()):wait() end) -- expect: unlock of unlocked mutex
try(function() sync.oncevalue(1) end)              -- expect: bad argument #1 to 'oncevalue' (function expected, got number)
try(function() sync.pool(5) end)                   -- expect: bad argument #1 to 'pool' (function expected, got number)
try(function() sync.map():store(nan, 1) end)       -- expect: table index is NaN
try(function() sync.map():range() end)             -- expect: bad argument #1 to 'range' (function expected, got no value)
try(function() sync.singleflight():run(nil, print) end)  -- expect: bad argument #1 to 'run' (key expected)
try(function() sync.singleflight():run(nan, print) end)  -- expect: bad argument #1 to 'run' (key is NaN)
try(function() sync.singleflight():run(1) end)     -- expect: bad argument #2 to 'run' (function expected, got no value)
try(function() atomic.int(1.5) end)                -- expect: bad argument #1 to 'int' (number has no integer representation)
try(function() atomic.int():cas(0) end)            -- expect: bad argument #2 to 'cas' (number expected, got no value)
try(function() atomic.int().add(1, 2) end)         -- expect: bad argument #1 to 'add' (atomic.int expected, got number)
try(function() atomic.bool():store(1) end)         -- expect: bad argument #1 to 'store' (boolean expected, got number)
local i = atomic.int("7")
print(i:add(2.0), i:add("3"), i:load())            -- expect: 9	12	12
local rw = sync.rwmutex()
print(rw:tryrlock(), rw:tryrlock(), rw:trylock())  -- expect: true	true	false
rw:runlock() rw:runlock()
print(rw:trylock(), rw:tryrlock(), rw:trylock())   -- expect: true	false	false
local m = sync.map()
m:store(1.0, "x")
print(m:load(1), m:load(nan), m:load(nil), #m)     -- expect: x	nil	nil	1
print(m:compareandswap("q", nil, 1), m:compareandswap("q", 1, nil), m:load("q"), #m)  -- expect: true	true	nil	1
print(select("#", sync.oncevalue(function() return 1, nil, 3, nil end)()))            -- expect: 4
local n = 0
local f = sync.oncevalue(function() n = n + 1 error("e" .. n, 0) end)
print(pcall(f)) print(pcall(f))
-- expect: false	e1
-- expect: false	e1

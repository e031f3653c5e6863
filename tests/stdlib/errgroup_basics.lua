-- The first error of a group counts and cancels its context, with the error as cause; waiting ends the context.
-- Protects: stdlib/errgroup.c.
local g, ctx = sync.errgroup(context.background())
local sum = atomic.int()
for i = 1, 10 do g:go(function(a, b) sum:add(a * b) return a, b end, i, 2) end
print(g:wait())                                              -- expect: true
print(sum:load(), ctx:err(), ctx:cause())                    -- expect: 110	context canceled	context canceled
print(g:wait())                                              -- expect: true

-- nil, err and raised errors; values as they are.
local why = { code = 7 }
for _, f in ipairs {
  function() return nil, "returned" end, function() error("raised", 0) end, function() error(why) end,
  function() return nil, why end, function() error("with place") end, function() return nil, false end,
} do
  local g, ctx = sync.errgroup()
  g:go(f)
  local ok, err = g:wait()
  print(ok, err == why and "why" or err, ctx:cause() == err)
end
-- expect: nil	returned	true
-- expect: nil	raised	true
-- expect: nil	why	true
-- expect: nil	why	true
-- expect: nil	tests/stdlib/errgroup_basics.lua:14: with place	true
-- expect: nil	false	true
-- What is no error: no results, nil alone, false.
local g = sync.errgroup()
g:go(function() end) g:go(function() return nil end) g:go(function() return false, "x" end) g:go(function() return nil, nil end)
print(g:wait())                                              -- expect: true

-- The others see the context end; later errors do not count.
local g, ctx = sync.errgroup()
local stopped = atomic.int()
for i = 1, 5 do
  g:go(function()
    <-ctx:done()
    stopped:add(1)
    return nil, "too late " .. i
  end)
end
g:go(function() return nil, "first" end)
print(g:wait())                                              -- expect: nil	first
print(stopped:load(), ctx:err(), ctx:cause())                -- expect: 5	context canceled	first

-- goexit counts down and is no error; a group below a cancelled context runs all the same.
local parent, cancel = context.withcancelcause(context.background())
cancel("parent")
local g, ctx = sync.errgroup(parent)
local ran = false
g:go(function() runtime.goexit() end)
g:go(function() ran = true end)
print(g:wait(), ran, ctx:cause())                            -- expect: true	true	parent
-- Nested use, and waiting inside a coroutine and a sort.
local out = {}
coroutine.wrap(function()
  table.sort({ 2, 1 }, function(a, b)
    local g = sync.errgroup()
    g:go(function() local h = sync.errgroup(ctx) h:go(error, "inner") return h:wait() end)
    out[1], out[2] = g:wait()
    return a < b
  end)
end)()
print(out[1], out[2])                                        -- expect: nil	inner
local function try(f, ...) print((select(2, pcall(f, ...)):gsub("^[^:]*:%d+: ", ""))) end
try(function() g:go() end)                 -- expect: bad argument #1 to 'go' (function expected, got no value)
try(function() g:go(5) end)                -- expect: bad argument #1 to 'go' (function expected, got number)
try(sync.errgroup, 5)                      -- expect: bad argument #1 to 'sync.errgroup' (context expected, got number)

-- Many groups, all members failing at once: one error, the cause, and every goroutine counted.
-- Protects: stdlib/errgroup.c.
for round = 1, 100 do
  local g, ctx = sync.errgroup()
  if round % 2 == 0 then g:setlimit(4) end
  local ran = atomic.int()
  for i = 1, 12 do
    g:go(function()
      ran:add(1)
      if i % 3 == 0 then return nil, i end
      if i % 3 == 1 then error({ i }) end
    end)
  end
  local a, b = chan(1), chan(1)
  go(function() local _, e = g:wait() a:send(e) end)
  go(function() local _, e = g:wait() b:send(e) end)
  local ok, err = g:wait()
  assert(not ok and err ~= nil and rawequal(err, ctx:cause()) and rawequal(<-a, err) and rawequal(<-b, err))
  assert(ran:load() == 12)
end
print(runtime.numgoroutine() <= 3)   -- expect: true

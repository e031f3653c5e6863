-- A value is always available to a goroutine that must not block, though others take and put meanwhile: whatever the
-- interleaving, "nothing is ready" would be wrong.
-- Protects: runtime/select.c (poll looks at all channels with all locked).
local N = os.getenv "LUNGODEBUG" and 200 or 3000
local misses = 0
for _ = 1, N do -- one value, then closed: either is ready
  local c = chan(1)
  c:send(1)
  local done = chan(1)
  go(function()
    select case <-c then done:send(true) else done:send(false) end
  end)
  c:close()
  c:tryrecv()
  if not <-done then misses = misses + 1 end
end
local function two(put) -- first value in a; then `put` makes b ready before a is emptied
  for _ = 1, N do
    local a, b, done = chan(1), chan(1), chan(1)
    a:send(1)
    go(function()
      local i = select {{recv = a}, {recv = b}, default = true}
      done:send(i > 0)
    end)
    put(b)
    a:tryrecv()
    if not <-done then misses = misses + 1 end
  end
end
two(function(b) b:send(2) end)
two(function(b) b:close() end)
print(misses) -- expect: 0

-- Two cases are ready: exactly one is taken, and the other value stays in its channel.
-- Protects: runtime/select.c.
local a, b = chan(1), chan(1)
local count = {0, 0}
for _ = 1, 1000 do
  a:send(1) b:send(2)
  local i = select {{recv = a}, {recv = b}}
  count[i] = count[i] + 1
  assert(#a + #b == 1)
  a:tryrecv() b:tryrecv()
end
print(count[1] + count[2], count[1] > 350, count[2] > 350)   -- expect: 1000	true	true

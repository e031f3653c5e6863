-- Cancels a context with 10,000 children, some of them waited for; `make` also counts making them. Prints ns per child.
local n, rounds, making, spent = 10000, 20, arg[1] == "make", 0
for _ = 1, rounds do
  local t0 = time.monotonic()
  local parent, cancel = context.withcancel(context.background())
  local kids = {}
  for i = 1, n do
    kids[i] = context.withcancel(parent)
    if i % 10 == 0 then kids[i]:done() end
  end
  if not making then t0 = time.monotonic() end
  cancel()
  spent = spent + time.monotonic() - t0
  for i = 1, n do assert(kids[i]:err() == "context canceled") end
end
print(string.format("%.1f", spent / (n * rounds) * 1e9))

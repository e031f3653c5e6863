-- options: --race
-- The litmus tests of the memory model have no race: each edge they look at is one for the detector as well.
ROUNDS = 25
for _, name in ipairs {"channels", "locks", "atomics", "others"} do dofile("tests/golike/memory_" .. name .. ".lua") end

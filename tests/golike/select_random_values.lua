-- Two sends of one select to the same channel are chosen at random; so are two ready receivers.
-- Protects: runtime/select.c (poll order).
local c, n = chan(), 2000
go(function() for _ = 1, n do select case c <- 0 then case c <- 1 then end end end)
local zeros = 0
for _ = 1, n do if <-c == 0 then zeros = zeros + 1 end end
print(zeros > n * 0.4, zeros < n * 0.6) -- expect: true	true

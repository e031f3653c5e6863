-- options: --race
-- expect-status: 66
-- Globals, also through rawset and _G; main is named as such.
-- expect-stderr: \(global 'total'\) by goroutine [0-9]+:$
-- expect-stderr: \(global 'total'\) by main goroutine:$
-- expect-stderr: \(global 'other'\)
-- expect-stderr: ^	\[C\]: in function 'rawset'$
-- expect-stderr: ^Found 2 data races$
local done = chan(2)
go(function() total = 1 done <- true end)
go(function() rawset(_G, "other", 1) done <- true end)
total = 2
print(other)
for _ = 1, 2 do done:recv() end

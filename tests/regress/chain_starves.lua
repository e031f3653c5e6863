-- Goroutines that each start the next one share one time slice. When it was used up while one of them was where it could not give
-- way (here: in a collection), the request was forgotten at its end, the next inherited the slice, and the others never ran.
-- Protects: runtime/sched.c (slice_end), runtime/sysmon.c (check_running).
-- procs: 1
local keep, turns, links = {}, 0, 0
for i = 1, 20000 do keep[i] = {i} end
local function link()
  links = links + 1
  if turns == 3 or links == 1000 then return end
  go(link)
  collectgarbage()
end
go(link)
while turns < 3 and links < 1000 do
  runtime.gosched()
  turns = turns + 1
end
print(turns == 3 and links < 1000) -- expect: true
